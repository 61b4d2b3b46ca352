import path from 'node:path'
import { DirtyQueue, migrate, openDatabase, PostgresLedger, registerUpstreams, type Database } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { IndexingService } from '@millrace/indexing'
import { RepairRunner } from '@millrace/repair'
import { RepoBackfiller } from '@millrace/repo-backfill'
import { startProcess } from '@millrace/runtime/testing'
import { streamEventCodec, streams } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { runGaps } from './run-gaps.ts'
import { runRepairAction, runRepairList } from './run-repair-action.ts'
import { runRepair } from './run-repair.ts'
import { runResync } from './run-resync.ts'
import type { RepairCommandOptions } from './options.ts'
import type { CommandHost } from '../command-host.ts'
import { runCommand } from '../run-command.testing.ts'

const options: RepairCommandOptions = {
  database: undefined,
  data: '/tmp/millrace-none',
  json: false,
  host: undefined,
  since: undefined,
  until: undefined,
  dryRun: false,
  wait: true,
  reason: undefined,
  admin: undefined,
  direct: true,
}

async function run(databaseUrl: string, command: (host: CommandHost) => Promise<number>, signal?: AbortSignal) {
  return await runCommand({ DB_POSTGRES_URL: databaseUrl, MILLRACE_ALLOW_PRIVATE_HOSTS: '1' }, command, signal)
}

/** A network that a database knows of, and nothing of its repos. */
async function openEmpty(
  databaseUrl: string,
): Promise<AsyncDisposable & { network: SimulatedNetwork; database: Database; host: string }> {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await startSimulatedNetwork({ accounts: 6, recordsPerAccount: 5, labels: 0 }))
  const database = stack.use(await openDatabase({ url: databaseUrl, poolSize: 6, pipeline: true }))
  await migrate(database)
  const host = new URL(network.relayUrl).host
  await registerUpstreams(database, [{ host, stream: streams.firehoseLive, url: network.relayUrl }])
  const owned = stack.move()
  return { network, database, host, [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

/** What a backfiller and an indexer do for repairs, for as long as it is in scope. */
async function heal(network: SimulatedNetwork, database: Database): Promise<AsyncDisposable> {
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  const resolver = new DidResolver({ fetch, plcUrl: network.plcUrl, allowPrivateHosts: true })
  const hostUrl = (host: string): string => `http://${host}`
  const indexing = await IndexingService.open({ database, plugins: [] })
  const backfiller = new RepoBackfiller({
    source: new DirtyQueue({ database, hostUrl, idleMs: 5 }),
    sink: {
      stream: streams.firehoseBackfill,
      append: async (texts) => void (await indexing.index(texts.map(streamEventCodec.decode))),
    },
    resolver,
    fetch,
    ledger: new PostgresLedger({ database }),
  })
  const runner = new RepairRunner({ database, resolver, fetch, hostUrl, sampleSize: 2, idleMs: 5 })
  const stop = new AbortController()
  const running = [backfiller.run(stop.signal), runner.run(stop.signal)]
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(running)
    },
  }
}

pgTest(
  'what would be fetched is said without a mark, then fetched, then there is nothing',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using empty = await openEmpty(databaseUrl)
    const { network, database, host } = empty
    const dry = await run(databaseUrl, (into) => runRepair({ ...options, dryRun: true }, into))
    expect(dry).toMatchObject({ code: 1, stderr: '' })
    expect(dry.stdout).toContain(
      `${host}: 6 repos listed: 0 current, 0 moved, 6 unknown, 0 inactive\n  6 repos would be fetched.`,
    )
    expect((await database.pool.query('select from millrace_dirty')).rows).toEqual([])
    expect((await database.pool.query('select from millrace_repair')).rows).toEqual([])

    await using healing = await heal(network, database)
    expect(healing).toBeDefined()
    const repaired = await run(databaseUrl, (into) => runRepair({ ...options, host: network.relayUrl }, into))
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(repaired.stdout).toMatch(/repair 1 of .* \(asked\): done after .* s\n  6 repos listed: .* 6 unknown/)
    expect(repaired.stdout).toMatch(/app\.bsky\.actor\.profile +\d+ +0 +0 +0\n/)
    const { rows } = await database.pool.query('select from record')
    expect(rows).toHaveLength(network.totals().recordCount)

    const after = await run(databaseUrl, (into) => runRepair({ ...options, dryRun: true }, into))
    expect(after).toMatchObject({ code: 0, stdout: expect.stringContaining('There is nothing to fetch.') })
  },
)

pgTest(
  'stopped, it leaves the repair to backfillers and says how to look again',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using empty = await openEmpty(databaseUrl)
    const { database, network } = empty
    const stop = new AbortController()
    const stopped = run(databaseUrl, (into) => runRepair(options, into), stop.signal)
    await eventually(async () =>
      expect((await database.pool.query('select from millrace_repair')).rows).toHaveLength(1),
    )
    stop.abort()
    expect(await stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('millrace repair show 1\n') })

    const show = () => run(databaseUrl, (into) => runRepairAction('show', [1], options, into))
    expect((await show()).stdout).toContain('(asked): listing\n')
    const paused = await run(databaseUrl, (into) => runRepairAction('pause', [1], options, into))
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining('listing, paused') })
    const again = await run(databaseUrl, (into) => runRepair({ ...options, wait: false }, into))
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('repair 1 of') })
    await run(databaseUrl, (into) => runRepairAction('resume', [1], options, into))
    await using healing = await heal(network, database)
    expect(healing).toBeDefined()
    await eventually(async () => expect((await show()).stdout).toContain('done after'), { timeoutMs: 60_000 })
    const list = await run(databaseUrl, (into) => runRepairList(options, into))
    expect(list.stdout).toMatch(/ asked +done +\S+ +1 +6 +6 +0 +0 +0\n/)
    expect(await run(databaseUrl, (into) => runRepairAction('cancel', [1, 9], options, into))).toMatchObject({
      code: 1,
      stderr: 'millrace: repair 1 has ended\nmillrace: there is no repair 9\n',
    })
  },
)

pgTest(
  'a gap is listed with the repair that closes it, and is open again when that is cancelled (O6)',
  async ({ databaseUrl }) => {
    await using empty = await openEmpty(databaseUrl)
    const { database, host } = empty
    const gaps = () => run(databaseUrl, (into) => runGaps({ ...options }, into))
    expect(await gaps()).toMatchObject({ code: 0, stdout: 'No gap is open.\n' })
    await new PostgresLedger({ database }).recordGap({ host, stream: streams.firehoseLive, reason: 'outdated-cursor' })
    expect(await gaps()).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/outdated-cursor +before .* +none yet\n/),
    })
    await run(databaseUrl, (into) => runRepair({ ...options, wait: false }, into))
    expect((await gaps()).stdout).toContain('repair 1, listing\n')
    await run(databaseUrl, (into) => runRepairAction('cancel', [1], options, into))
    const json = await run(databaseUrl, (into) => runGaps({ ...options, json: true }, into))
    expect(JSON.parse(json.stdout)).toMatchObject({ gaps: [{ host, reason: 'outdated-cursor' }] })
    expect(json.stdout).not.toContain('"repair"')
  },
)

pgTest('an account that is asked for is fetched before all others, at once (B17)', async ({ databaseUrl }) => {
  await using empty = await openEmpty(databaseUrl)
  const { database } = empty
  await new PostgresLedger({ database }).markDirty([
    { did: 'did:plc:first', reason: 'gap' },
    { did: 'did:plc:asked', reason: 'unknown-repo' },
  ])
  const resynced = await run(databaseUrl, (into) =>
    runResync(
      ['did:plc:asked', 'did:plc:new', 'at://did:plc:new/app.bsky.feed.post/1'],
      { ...options, dryRun: false, reindex: true },
      into,
    ),
  )
  expect(resynced).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Changed: 2 accounts are/) })
  const { rows } = await database.pool.query(
    `select did, reindex from millrace_dirty where next_at < now() + interval '1 second' order by priority, did`,
  )
  expect(rows).toEqual([
    { did: 'did:plc:asked', reindex: true },
    { did: 'did:plc:new', reindex: true },
    { did: 'did:plc:first', reindex: false },
  ])
})

pgTest('a host that is not read here, and a time that is none, are refused', async ({ databaseUrl }) => {
  await using empty = await openEmpty(databaseUrl)
  const ask = (more: Partial<RepairCommandOptions>) =>
    run(databaseUrl, (into) => runRepair({ ...options, ...more }, into))
  expect(await ask({ host: 'other.test' })).toMatchObject({
    code: 2,
    stderr: `millrace: other.test is not read here: ${empty.host} are\n`,
  })
  expect(await ask({ since: new Date(2), until: new Date(1) })).toMatchObject({
    code: 2,
    stderr: 'millrace: --since is not before --until\n',
  })
  await empty.database.pool.query('delete from millrace_upstream')
  expect(await ask({})).toMatchObject({ code: 2, stderr: expect.stringContaining('no host is known') })
})

pgTest(
  'as commands their parts take options before and after their names',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using empty = await openEmpty(databaseUrl)
    expect(empty.host).not.toBe('')
    const command = async (...args: string[]) => {
      await using started = startProcess({
        main: path.join(import.meta.dirname, '../main.ts'),
        args,
        env: { DB_POSTGRES_URL: databaseUrl },
      })
      return { code: await started.ended, ...started.output() }
    }
    const [listed, refused] = await Promise.all([
      command('repair', '--no-wait', 'list', '--json'),
      command('repair', 'cancel', 'one'),
    ])
    expect(listed.code).toBe(0)
    expect(JSON.parse(listed.stdout)).toEqual({ repairs: [] })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
  },
)
