import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { migrate, openDatabase, type Database } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { createEvent } from '@millrace/indexing/testing'
import { startPostgres } from '@millrace/local-services'
import type { Environment } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { eventually, pgTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.testing.ts'
import type { RecountCommandOptions } from './options.ts'
import type { RecountAnswer } from './render.ts'
import { runRecount } from './run-recount.ts'

const alice = 'did:plc:alicealicealicealicealic'
const bob = 'did:plc:bobbobbobbobbobbobbobbob'

/** An AppView's database in which bob has one follower, and nine according to his count. */
async function openWrong(url: string): Promise<Database> {
  const database = await openDatabase({ url, pipeline: true })
  await migrate(database)
  const indexing = await IndexingService.open({ database, plugins: appBskyPlugins })
  const record = { $type: 'app.bsky.graph.follow', subject: bob, createdAt: '2026-01-15T10:00:00Z' }
  await indexing.index([createEvent({ did: alice, record })])
  await database.pool.query('update profile_agg set "followersCount" = 9 where did = $1', [bob])
  return database
}

async function followersOfBob({ pool }: Database): Promise<unknown> {
  const { rows } = await pool.query<{ n: number }>('select "followersCount" as n from profile_agg where did = $1', [
    bob,
  ])
  return rows[0]?.n
}

/** Folder of a `millrace up` that never ran. */
const NOWHERE = '/tmp/millrace-none'

/** The command in this process, with nothing of its environment. */
async function run(
  options: Partial<RecountCommandOptions>,
  env: Environment = {},
  signal = new AbortController().signal,
) {
  const all: RecountCommandOptions = {
    subjects: [],
    tables: [],
    after: undefined,
    dryRun: false,
    samples: 10,
    database: undefined,
    data: NOWHERE,
    json: false,
    reason: undefined,
    admin: undefined,
    direct: true,
    ...options,
  }
  return await runCommand(env, (host) => runRecount(all, host), signal)
}

pgTest('what is wrong is found, then corrected, then right', async ({ databaseUrl }) => {
  await using database = await openWrong(databaseUrl)
  const env = { DB_POSTGRES_URL: databaseUrl }
  const dry = await run({ dryRun: true }, env)
  expect(dry).toMatchObject({ code: 1, stderr: '' })
  expect(dry.stdout).toContain(`${bob}  9 → 1\n1 count was wrong. Without --dry-run`)
  expect(await followersOfBob(database)).toBe(9)

  const others = await run({ subjects: [alice, `at://${bob}/app.bsky.feed.post/3k`] }, env)
  expect(others).toMatchObject({ code: 0, stdout: expect.stringContaining('All counts are right.') })
  expect(await followersOfBob(database)).toBe(9)

  const elsewhere = { DB_POSTGRES_URL: 'postgres://127.0.0.1:1/x' }
  const corrected = await run({ tables: ['profile_agg'], database: databaseUrl }, elsewhere)
  expect(corrected.code).toBe(0)
  expect(corrected.stdout).toContain(`profile_agg.followersCount  ${bob}  9 → 1\n1 count was wrong, and corrected.\n`)
  expect(await followersOfBob(database)).toBe(1)
  expect(await run({ dryRun: true }, env)).toMatchObject({ code: 0, stdout: expect.stringContaining('are right') })
})

pgTest('stopped, it ends after the chunk in hand, and says how to go on', async ({ databaseUrl }) => {
  await using database = await openWrong(databaseUrl)
  await database.pool.query(`insert into post_agg (uri, "likeCount") values ('at://x', 5)`)
  const env = { DB_POSTGRES_URL: databaseUrl }
  const stop = new AbortController()
  let stopped: ReturnType<typeof run> | undefined
  await database.transaction(async (client) => {
    await client.query('select from post_agg for update')
    stopped = run({}, env, stop.signal)
    await eventually(async () => {
      const { rows } = await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      expect(rows).toHaveLength(1)
    })
    stop.abort()
  })
  expect(await stopped).toMatchObject({
    code: 130,
    stdout: expect.stringContaining(
      `at://x  5 → 0\n1 count was wrong, and corrected.\nStopped before the end. Go on with --after 'profile_agg'\n`,
    ),
  })
  const rest = await run({ after: 'profile_agg' }, env)
  expect(rest.code).toBe(0)
  expect(rest.stdout).not.toContain('post_agg')
  expect(await followersOfBob(database)).toBe(1)
})

test('without a word it works on the Postgres of `millrace up`', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-recount-'))
  try {
    await using postgres = await startPostgres({ folder: path.join(folder, 'postgres'), durable: false })
    await using database = await openWrong(postgres.url)
    expect(await run({ data: folder })).toMatchObject({ code: 0, stdout: expect.stringContaining('9 → 1') })
    expect(await followersOfBob(database)).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

pgTest('a database without the tables is left as it is', async ({ databaseUrl }) => {
  const { code, stderr } = await run({ dryRun: true }, { DB_POSTGRES_URL: databaseUrl })
  expect(code).toBe(3)
  expect((await run({}, { DB_POSTGRES_URL: databaseUrl })).code).toBe(3)
  expect(stderr).toMatch(/no such table: .*post_agg.*Has the database been migrated\?/)
})

const secret = 'me:swordfish@127.0.0.1'
const away = `postgres://${secret}:1/x`
test.each<[says: RegExp, code: number, options: Partial<RecountCommandOptions>, env?: Environment]>([
  [/nobody to ask/, 2, {}],
  [/--after is for all subjects/, 2, { database: away, after: 'post_agg', subjects: [alice] }],
  [/which --table leaves out/, 2, { database: away, after: 'post_agg', tables: ['profile_agg'] }],
  [/--database is its value \(hidden\)/, 2, { database: `mysql://${secret}/x` }],
  [/DB_POSTGRES_URL is its value \(hidden\)/, 2, {}, { DB_POSTGRES_URL: secret }],
  [/ECONNREFUSED/, 3, { database: away }],
])('%s: exit code %i', async (says, code, options, env) => {
  const result = await run(options, env)
  expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(says) })
  expect(result.stderr).not.toContain('swordfish')
})

pgTest('as a command it prints its report as JSON', { timeout: 180_000 }, async ({ databaseUrl }) => {
  await using database = await openWrong(databaseUrl)
  expect(await followersOfBob(database)).toBe(9)
  await using recount = startProcess({
    main: path.join(import.meta.dirname, '../main.ts'),
    args: ['recount', '--direct', '--dry-run', '--json', bob],
    env: { DB_POSTGRES_URL: databaseUrl },
  })
  expect({ code: await recount.ended, stderr: recount.output().stderr }).toEqual({ code: 1, stderr: '' })
  const report = JSON.parse(recount.output().stdout) as RecountAnswer
  expect(report).toMatchObject({ dryRun: true })
  expect(report.columns.find(({ column }) => column === 'followersCount')).toEqual({
    table: 'profile_agg',
    column: 'followersCount',
    checked: 1,
    wrong: 1,
    tooLow: 0,
    tooHigh: 8,
    negative: 0,
    samples: [{ subject: bob, stored: 9, counted: 1 }],
  })
})
