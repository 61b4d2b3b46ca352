import path from 'node:path'
import { migrate, openDatabase, PostgresLedger, type Database } from '@millrace/database'
import { createEvent } from '@millrace/indexing/testing'
import type { Environment } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { labelEventCodec, recordUri, streamEventCodec, type DeadLetter } from '@millrace/stream-protocol'
import { eventually, pgTest, serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.testing.ts'
import type { DlqRequest } from './options.ts'
import { runDlq } from './run-dlq.ts'

const alice = 'did:plc:alicealicealicealicealic'
const bob = 'did:plc:bobbobbobbobbobbobbobbob'
const followOf = (subject: unknown) =>
  createEvent({ did: alice, record: { $type: 'app.bsky.graph.follow', subject, createdAt: '2026-01-15T10:00:00Z' } })
const bad = followOf('nobody')
const badJson = streamEventCodec.encode(bad)

const letter = {
  stream: 'firehose_live',
  reason: 'invalid-record',
  error: 'not a DID',
  did: alice,
  uri: recordUri(bad),
}

async function openWith(url: string, ...kept: Partial<DeadLetter>[]): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  await new PostgresLedger({ database }).deadLetter(
    kept.map((each, index): DeadLetter => ({ ...letter, entryId: `${index}-0`, payload: badJson, ...each })),
  )
  return database
}

/** The command in this process, with nothing of its environment. */
async function run(url: string | undefined, request: DlqRequest, { json = false, env = {} as Environment } = {}) {
  const options = { database: url, data: '/tmp/millrace-none', json, admin: undefined, direct: true }
  return await runCommand(env, (host) => runDlq(request, options, host))
}

const states = async ({ pool }: Database) =>
  (await pool.query<{ state: string }>('select state from millrace_dead_letter order by id')).rows.map(
    ({ state }) => state,
  )

pgTest('what was given up is shown by its kind, one by one, and whole (G1)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, {}, { reason: 'bad-json', payload: '{' })
  const summary = await run(databaseUrl, { command: 'summary', filter: {} })
  expect(summary).toMatchObject({ code: 0, stderr: '' })
  expect(summary.stdout).toMatch(/^ +2 {2}firehose_live {2}invalid-record {2}[0-9a-f]{12} .*\n +e\.g\. 2 /)
  const json = await run(databaseUrl, { command: 'summary', filter: { reasonCode: 'bad-json' } }, { json: true })
  expect(JSON.parse(json.stdout)).toMatchObject({ groups: [{ count: 1, example: 3, error: 'not a DID' }] })
  const list = await run(databaseUrl, { command: 'list', filter: {}, limit: 2 })
  expect(list.stdout.split('\n')).toHaveLength(4)
  expect((await run(databaseUrl, { command: 'show', id: 1, payload: false })).stdout).toContain(
    `uri          ${letter.uri}`,
  )
  expect((await run(databaseUrl, { command: 'show', id: 1, payload: true })).stdout).toBe(`${badJson}\n`)
  expect(await run(databaseUrl, { command: 'show', id: 9, payload: false })).toMatchObject({ code: 2 })
  const exported = await run(databaseUrl, { command: 'export', filter: { reasonCode: 'bad-json' } })
  expect(JSON.parse(exported.stdout)).toMatchObject({ id: 3, payload: '{', isCut: false })
  expect(await states(database)).toEqual(['kept', 'kept', 'kept'])
})

pgTest('what an indexer could not read is not put back (G10)', async ({ databaseUrl }) => {
  const label = { type: 'label', label: { src: alice, uri: bob, val: 'spam', cts: '2026-01-15T10:00:00Z' } } as const
  await using database = await openWith(
    databaseUrl,
    {},
    { payload: '{' },
    { payload: 'x'.repeat(70_000) },
    { stream: 'label_live', payload: labelEventCodec.encode(label) },
    { stream: 'repo_backfill' },
  )
  const filter = { all: true }
  const dry = await run(databaseUrl, { command: 'retry', filter, dryRun: true })
  expect(dry).toMatchObject({ code: 1, stdout: expect.stringContaining('2 letters can be put back.') })
  const { code, stdout } = await run(databaseUrl, { command: 'retry', filter, dryRun: false })
  expect(code).toBe(1)
  expect(stdout).toMatch(/2 letters put back.*\n3 letters cannot/)
  expect(stdout).toMatch(/entry is not JSON\n.*its payload was cut.*\n.*no indexer reads repo_backfill/)
  expect(await states(database)).toEqual(['retry', 'kept', 'kept', 'retry', 'kept'])
  const env = { BACKFILLER_FIREHOSE_STREAM: 'repo_backfill' }
  const other = await run(databaseUrl, { command: 'retry', filter: { ids: [5] }, dryRun: false }, { env })
  expect(other).toMatchObject({ code: 0, stdout: expect.stringContaining('1 letter put back') })
})

pgTest('one that was decided about is retried when it is named (G10)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, {})
  await database.pool.query(`update millrace_dead_letter set state = 'discarded'`)
  await run(databaseUrl, { command: 'retry', filter: { reasonCode: letter.reason }, dryRun: false })
  expect(await states(database)).toEqual(['discarded', 'discarded'])
  await run(databaseUrl, { command: 'retry', filter: { ids: [2] }, dryRun: false })
  expect(await states(database)).toEqual(['discarded', 'retry'])
})

pgTest('an edited payload is checked before it takes the place of what was there (G9)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, { did: undefined, uri: undefined })
  const refused = await run(databaseUrl, { command: 'edit', id: 1, payload: '{"type":"create"}' })
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/the payload is no event of firehose_live: .*did/),
  })
  expect(await states(database)).toEqual(['kept'])
  const good = streamEventCodec.encode({ ...bad, record: followOf(bob).record })
  expect(await run(databaseUrl, { command: 'edit', id: 1, payload: `${good}\n` })).toMatchObject({ code: 0 })
  expect((await database.pool.query('select state, payload, did, uri from millrace_dead_letter')).rows).toEqual([
    { state: 'retry', payload: good, did: alice, uri: letter.uri },
  ])
  await database.pool.query(`update millrace_dead_letter set state = 'purged', payload = ''`)
  expect(await run(databaseUrl, { command: 'edit', id: 1, payload: good })).toMatchObject({ code: 2 })
  expect(await run(databaseUrl, { command: 'edit', id: 9, payload: good })).toMatchObject({ code: 2 })
})

pgTest('what is discarded is so only with --yes, and stays for the record (G1)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, { reason: 'bad-json' })
  const request = { command: 'discard', filter: { reasonCode: 'bad-json' } } as const
  expect(await run(databaseUrl, { ...request, yes: false })).toMatchObject({ code: 4 })
  expect(await states(database)).toEqual(['kept', 'kept'])
  expect(await run(databaseUrl, { ...request, yes: true })).toMatchObject({ code: 0 })
  expect(await states(database)).toEqual(['kept', 'discarded'])
  expect((await run(databaseUrl, { command: 'show', id: 2, payload: true })).stdout).toBe(`${badJson}\n`)
})

const away = 'postgres://me:swordfish@127.0.0.1:1/x'
test.each<[says: RegExp, code: number, request: DlqRequest, url?: string]>([
  [/say which letters to retry/, 2, { command: 'retry', filter: {}, dryRun: false }, away],
  [/say which letters to discard/, 2, { command: 'discard', filter: {}, yes: true }, away],
  [/nobody to ask/, 2, { command: 'summary', filter: {} }],
  [/ECONNREFUSED/, 3, { command: 'summary', filter: {} }, away],
])('%s: exit code %i', async (says, code, request, url) => {
  const result = await run(url, request)
  expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(says) })
  expect(result.stderr).not.toContain('swordfish')
})

serviceTest(
  'retried from the command line, a letter ends as a row of a running indexer (G9, G10)',
  { timeout: 180_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using database = await openWith(databaseUrl, {}, { payload: streamEventCodec.encode(followOf(bob)) })
    const env = { DB_POSTGRES_URL: databaseUrl, REDIS_URL: redisUrl, INDEXER_CONSUMER: 'one' }
    const dlq = async (args: string[]): Promise<unknown> => {
      await using command = startProcess({
        main: path.join(import.meta.dirname, '../main.ts'),
        args: ['dlq', ...args],
        env,
      })
      return await command.ended
    }
    await using indexer = startProcess({
      main: path.join(import.meta.dirname, '../../../indexer/src/main.ts'),
      env,
    })
    await indexer.metricsPort()
    expect(await dlq(['retry', '--did', alice])).toBe(0)
    await eventually(async () => expect(await states(database)).toEqual(['kept', 'replayed']), { timeoutMs: 90_000 })
    const { rows } = await database.pool.query('select creator, "subjectDid" from follow')
    expect(rows).toEqual([{ creator: alice, subjectDid: bob }])
    const attempts = await database.pool.query('select attempts from millrace_dead_letter order by id')
    expect(attempts.rows).toEqual([{ attempts: 2 }, { attempts: 1 }])
  },
)
