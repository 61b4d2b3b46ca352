import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { BackfillReporter } from '@millrace/backfiller'
import { DirtyQueue, migrate, openDatabase, PostgresLedger, registerUpstreams, type Database } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { IndexingService } from '@millrace/indexing'
import { RepoBackfiller } from '@millrace/repo-backfill'
import { openStreams } from '@millrace/stores'
import { streamEventCodec, streams } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import type { CommandHost } from '../command-host.ts'
import { runCommand } from '../run-command.testing.ts'
import type { GetBackfillOutput } from '@millrace/admin-api'
import type { AddOptions } from './options.ts'
import { runAdd } from './run-add.ts'
import { runControl, runRetryFailed, runStatus } from './run-backfill.ts'

const options: AddOptions = {
  database: undefined,
  data: '/tmp/millrace-none',
  json: false,
  subjects: [],
  file: undefined,
  collections: [],
  host: undefined,
  first: false,
  reason: undefined,
  dryRun: false,
  admin: undefined,
  direct: true,
}

async function run(databaseUrl: string, command: (host: CommandHost) => Promise<number>) {
  return await runCommand({ DB_POSTGRES_URL: databaseUrl, MILLRACE_ALLOW_PRIVATE_HOSTS: '1' }, command)
}

async function status(databaseUrl: string): Promise<GetBackfillOutput & { code: number }> {
  const { code, stdout } = await run(databaseUrl, (host) => runStatus({ ...options, json: true }, host))
  return { ...(JSON.parse(stdout) as GetBackfillOutput), code }
}

/** A network, a database that knows its relay, and a folder. */
async function open(databaseUrl: string) {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await startSimulatedNetwork({ accounts: 6, recordsPerAccount: 5, labels: 0 }))
  const database = stack.use(await openDatabase({ url: databaseUrl, poolSize: 6, pipeline: true }))
  await migrate(database)
  const host = new URL(network.relayUrl).host
  await registerUpstreams(database, [{ host, stream: streams.firehoseLive, url: network.relayUrl }])
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-backfill-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const owned = stack.move()
  return { network, database, folder, [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

/** A backfiller and an indexer, for as long as it is in scope. */
async function work(network: SimulatedNetwork, database: Database, folder: string): Promise<AsyncDisposable> {
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  const indexing = await IndexingService.open({ database, plugins: [] })
  const file = path.join(folder, 'streams.sqlite')
  const store = await openStreams({ kind: 'sqlite', file, location: file, why: 'it is a test' })
  const backfiller = new RepoBackfiller({
    source: new DirtyQueue({ database, hostUrl: (host) => `http://${host}`, idleMs: 5 }),
    sink: {
      stream: streams.firehoseBackfill,
      append: async (texts) => void (await indexing.index(texts.map((text) => streamEventCodec.decode(text)))),
    },
    resolver: new DidResolver({ fetch, plcUrl: network.plcUrl, allowPrivateHosts: true, minIntervalMs: 0 }),
    fetch,
    ledger: new PostgresLedger({ database }),
    attempts: 1,
  })
  const stream = streams.repoBackfill
  const reporter = new BackfillReporter({ database, store, stream, name: 'one', backfiller, everyMs: 20 })
  const stop = new AbortController()
  const running = [backfiller.run(stop.signal), reporter.run(stop.signal)]
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(running)
      await store[Symbol.asyncDispose]()
    },
  }
}

pgTest(
  'accounts are added by name, by file and by collection, and are fetched',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using rig = await open(databaseUrl)
    const { network, database, folder } = rig
    const collection = 'app.bsky.graph.follow'
    const [first, second] = network.accounts.map(({ did }) => did)
    const file = path.join(folder, 'dids.csv')
    await writeFile(file, `${second},alice.test\n`)

    expect(await run(databaseUrl, (host) => runAdd(options, host))).toMatchObject({ code: 2 })
    const named = await run(databaseUrl, (host) => runAdd({ ...options, subjects: [first!], file }, host))
    expect(named).toEqual({
      code: 0,
      stderr: '',
      stdout: '2 accounts added. Backfillers that have this database fetch them.\n',
    })
    expect(await status(databaseUrl)).toMatchObject({ code: 1, state: 'absent', waiting: { backfill: 2 } })

    const having = new Set(
      network.records().flatMap(({ uri }) => (uri.split('/')[3] === collection ? [uri.split('/')[2]!] : [])),
    )
    expect(having.size).toBeGreaterThan(2)
    const listed = await run(databaseUrl, (host) => runAdd({ ...options, json: true, collections: [collection] }, host))
    const all = new Set([...having, first!, second!])
    expect(JSON.parse(listed.stdout)).toEqual({
      added: all.size - 2,
      waiting: having.size - (all.size - 2),
      paused: false,
      dryRun: false,
    })

    await using working = await work(network, database, folder)
    expect(working).toBeDefined()
    await eventually(
      async () => expect(await status(databaseUrl)).toMatchObject({ code: 0, state: 'idle', backfillers: 1 }),
      {
        timeoutMs: 60_000,
      },
    )
    const { rows } = await database.pool.query<{ did: string }>('select distinct did from record')
    expect(new Set(rows.map(({ did }) => did))).toEqual(all)
  },
)

pgTest(
  'it is held and goes on, and what was given up is fetched once more',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using rig = await open(databaseUrl)
    const { network, database, folder } = rig
    const [bad, good] = network.accounts.map(({ did }) => did)
    network.faults.getRepo(bad!, { type: 'other-key' })
    await using working = await work(network, database, folder)
    expect(working).toBeDefined()

    expect((await run(databaseUrl, (host) => runControl('pause', options, host))).code).toBe(0)
    await eventually(async () => expect((await status(databaseUrl)).state).toBe('paused'))
    const added = await run(databaseUrl, (host) => runAdd({ ...options, subjects: [bad!, good!] }, host))
    expect(added.stdout).toContain('The backfill is paused.')
    expect((await run(databaseUrl, (host) => runControl('resume', options, host))).stdout).toContain('go on')
    await eventually(
      async () => expect(await status(databaseUrl)).toMatchObject({ code: 1, failed: 1, waiting: { backfill: 1 } }),
      { timeoutMs: 60_000 },
    )
    network.faults.clear()
    const retried = await run(databaseUrl, (host) => runRetryFailed(options, host))
    expect(retried).toEqual({ code: 0, stderr: '', stdout: 'Changed: 1 repo is fetched once more.\n' })
    await eventually(
      async () => expect(await status(databaseUrl)).toMatchObject({ code: 0, state: 'idle', failed: 0 }),
      {
        timeoutMs: 60_000,
      },
    )
  },
)
