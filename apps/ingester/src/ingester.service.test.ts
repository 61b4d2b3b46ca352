import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDatabase, readCollectionFilter } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { runAll } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { openStreams } from '@millrace/stores'
import {
  cursorKey,
  INGESTER_DONE,
  noMeter,
  silentLogger,
  streamEventCodec,
  streams,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually as soon, pgTest, redisTest, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { describeTrouble, ingesterLoops, type IngesterLoop } from './ingester.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
/** A process starts from its sources, beside all the other tests: that may take a while. */
const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })
const openRedis = (url: string) => openStreams({ kind: 'redis', url, location: url, why: 'it is a test' })
const hostsOf = (network: SimulatedNetwork) => ({
  INGESTER_HOSTS: network.relayUrl,
  INGESTER_LABELER_HOSTS: network.labelerUrl,
  DID_PLC_URL: network.plcUrl,
  MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
})

async function lengthOf(store: StreamStore, stream: string): Promise<number> {
  const [status] = await store.status([stream])
  return status?.length ?? 0
}

async function readyz(port: number): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`)
  return { code: response.status, ...((await response.json()) as object) }
}

serviceTest(
  'the process fills the streams from its hosts, says that it is ready, and stops with 0',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startSimulatedNetwork({ accounts: 4, recordsPerAccount: 3, labels: 5 })
    await using store = await openRedis(redisUrl)
    await using ingester = startProcess({
      main,
      env: {
        ...hostsOf(network),
        INGESTER_UNSIGNED_LABELERS: network.labelerUrl,
        REDIS_URL: redisUrl,
        DB_POSTGRES_URL: databaseUrl,
      },
    })
    const port = await ingester.metricsPort()
    await eventually(async () => {
      const ok = { status: 'ok' }
      expect(await readyz(port)).toEqual({
        code: 200,
        status: 'ready',
        checks: { store: ok, database: ok, hosts: ok, loops: ok },
      })
    })
    await eventually(async () => expect(await lengthOf(store, streams.repoBackfill)).toBe(4))
    await eventually(async () => expect(await lengthOf(store, streams.labelLive)).toBe(5))
    // It is named as one that signs nothing; what is signed wrongly is dropped all the same.
    const about = { uri: network.account(0).did, val: 'spam' }
    await network.label({ ...about, signature: 'bad' })
    await network.label({ ...about, signature: 'none' })
    await eventually(async () => expect(await lengthOf(store, streams.labelLive)).toBe(6))
    const listed = () => store.cursors.get(cursorKey(streams.repoBackfill, network.relayUrl))
    await eventually(async () => expect(await listed()).toBe(INGESTER_DONE))

    // The list was asked for in turn with all else that the host is asked for (B5).
    await using database = await openDatabase({ url: databaseUrl })
    const { rows } = await database.pool.query(`select name from millrace_state where scope = 'hosts'`)
    expect(rows).toEqual([{ name: network.relayUrl }])

    // Without a stored cursor a firehose is read from its live end.
    const before = await lengthOf(store, streams.firehoseLive)
    const head = await eventually(async () => {
      const head = await network.write(3)
      expect(await lengthOf(store, streams.firehoseLive)).toBeGreaterThan(before)
      return head
    })
    await eventually(async () =>
      expect(await store.cursors.get(cursorKey(streams.firehoseLive, network.relayUrl))).toBe(String(head)),
    )
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('millrace_build_info{role="ingester"')
    expect(metrics).toMatch(/millrace_loop_running\{loop="firehose [^"]+"\} 1/)
    expect(metrics).toMatch(/millrace_stream_length\{stream="repo_backfill"\} \d/)

    ingester.kill('SIGTERM')
    expect([await ingester.ended, ingester.output().stderr]).toEqual([0, ''])
  },
)

serviceTest(
  'takes the collections that it is told alone, and tells backfillers (I25)',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl, signal }) => {
    await using network = await startSimulatedNetwork({ accounts: 4, recordsPerAccount: 3 })
    await using store = await openRedis(redisUrl)
    await store.cursors.set(cursorKey(streams.firehoseLive, network.relayUrl), '0')
    const env = { ...hostsOf(network), REDIS_URL: redisUrl, DB_POSTGRES_URL: databaseUrl }
    await using ingester = startProcess({ main, env: { ...env, INGESTER_COLLECTIONS: 'app.bsky.graph.*' } })
    const head = await network.write(20)
    const read = () => store.cursors.get(cursorKey(streams.firehoseLive, network.relayUrl))
    await eventually(async () => expect(await read()).toBe(String(head)))
    ingester.kill('SIGTERM')
    await ingester.ended

    const collections = new Set<string>()
    const { length } = (await store.status([streams.firehoseLive]))[0]!
    const reader = { stream: streams.firehoseLive, group: 'test', consumer: 'test', codec: streamEventCodec }
    let seen = 0
    for await (const { entries } of store.consumer(reader).batches(signal)) {
      for (const { event } of entries) if ('collection' in event) collections.add(event.collection)
      seen += entries.length
      if (seen >= length) break
    }
    expect([...collections]).not.toEqual([])
    expect([...collections].filter((collection) => !collection.startsWith('app.bsky.graph.'))).toEqual([])
    await using database = await openDatabase({ url: databaseUrl })
    expect(String(await readCollectionFilter(database))).toBe('app.bsky.graph.*')
  },
)

serviceTest(
  'takes the accounts that it is told alone, and has their repos fetched (I25)',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl, signal }) => {
    await using network = await startSimulatedNetwork({ accounts: 6, recordsPerAccount: 3 })
    await using store = await openRedis(redisUrl)
    await store.cursors.set(cursorKey(streams.firehoseLive, network.relayUrl), '0')
    const dids = [network.account(1).did, network.account(3).did].toSorted()
    const env = { ...hostsOf(network), REDIS_URL: redisUrl, DB_POSTGRES_URL: databaseUrl }
    await using ingester = startProcess({ main, env: { ...env, INGESTER_REPOS: dids.join(',') } })
    const read = () => store.cursors.get(cursorKey(streams.firehoseLive, network.relayUrl))
    await eventually(async () => expect(await read()).toBe(String(network.head())))
    ingester.kill('SIGTERM')
    await ingester.ended

    const { length } = (await store.status([streams.firehoseLive]))[0]!
    const reader = { stream: streams.firehoseLive, group: 'test', consumer: 'test', codec: streamEventCodec }
    const seen: string[] = []
    for await (const { entries } of store.consumer(reader).batches(signal)) {
      seen.push(...entries.map(({ event }) => event.did))
      if (seen.length >= length) break
    }
    expect([...new Set(seen)].toSorted()).toEqual(dids)
    expect(await lengthOf(store, streams.repoBackfill)).toBe(0)
    await using database = await openDatabase({ url: databaseUrl })
    const { rows } = await database.pool.query<{ did: string }>('select did from millrace_dirty order by did')
    expect(rows.map(({ did }) => did)).toEqual(dids)
  },
)

redisTest(
  'a process killed in the middle is followed by one that repeats and leaves out nothing',
  { timeout: 240_000 },
  async ({ redisUrl, signal }) => {
    await using network = await startSimulatedNetwork({ accounts: 4, recordsPerAccount: 3 })
    await using store = await openRedis(redisUrl)
    const host = network.relayUrl
    const cursor = (stream: string) => store.cursors.get(cursorKey(stream, host))
    const head = await network.write(20)
    await store.cursors.set(cursorKey(streams.firehoseLive, host), '0')

    const env = { INGESTER_HOSTS: host, REDIS_URL: redisUrl }
    network.relay.hold(head - 10)
    {
      await using first = startProcess({ main, env })
      await eventually(async () => expect(await cursor(streams.firehoseLive)).toBe(String(head - 10)))
      first.kill('SIGKILL')
      expect(await first.ended).toBe('SIGKILL')
    }
    network.relay.release()
    await using second = startProcess({ main, env })
    await eventually(async () => expect(await cursor(streams.firehoseLive)).toBe(String(head)))

    // The loops alone, never killed, come to the same stream.
    await using meanwhile = loopsRunning(
      ingesterLoops({
        store,
        hosts: [host],
        startCursor: '0',
        firehoseStream: 'unbroken',
        logger: silentLogger,
        meter: noMeter,
      }),
      signal,
    )
    await eventually(async () => expect(await cursor('unbroken')).toBe(String(head)))
    expect(describeTrouble(meanwhile.loops)).toBeUndefined()
    expect(await lengthOf(store, streams.firehoseLive)).toBe(await lengthOf(store, 'unbroken'))
    second.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  },
)

redisTest('a host that is away is told by the health check, and ends nothing', async ({ redisUrl, signal }) => {
  await using store = await openRedis(redisUrl)
  const options = { store, hosts: ['http://127.0.0.1:1'], logger: silentLogger, meter: noMeter }
  await using running = loopsRunning(ingesterLoops(options), signal)
  await eventually(() =>
    expect(describeTrouble(running.loops)).toMatch(
      /^firehose 127\.0\.0\.1:1 is waiting \(.+\); list-repos 127\.0\.0\.1:1 is waiting \(.+\)$/,
    ),
  )
})

pgTest(
  'a database that refuses ends it with 1 and one line, without the password (M9)',
  { timeout: 120_000 },
  async ({ databaseUrl }) => {
    const wrong = new URL(databaseUrl)
    wrong.pathname = '/absent'
    wrong.password = 'hunter2'
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-ingester-'))
    await using ingester = startProcess({
      main,
      env: { INGESTER_HOSTS: 'relay.example', MILLRACE_DATA_DIR: folder, DB_POSTGRES_URL: wrong.href },
    })
    expect(await ingester.ended).toBe(1)
    const { stdout, stderr } = ingester.output()
    expect(stderr).toMatch(/^ingester: cannot open the database: database "absent" does not exist\n$/)
    expect(stdout + stderr).not.toContain('hunter2')
    await rm(folder, { recursive: true })
  },
)

/** Runs loops until it is disposed of. */
function loopsRunning(loops: readonly IngesterLoop[], signal: AbortSignal) {
  const stop = new AbortController()
  const ended = runAll(loops, AbortSignal.any([signal, stop.signal]))
  return {
    loops,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}
