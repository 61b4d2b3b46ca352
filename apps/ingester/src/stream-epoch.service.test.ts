import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import {
  CheckpointKeeper,
  PostgresLedger,
  readCheckpoint,
  registerUpstreams,
  rewindLabels,
  type Database,
} from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { startRedis } from '@millrace/local-services'
import { runAll } from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import {
  cursorKey,
  groups,
  INGESTER_DONE,
  noMeter,
  silentLogger,
  STREAM_EPOCH_KEY,
  streamEventCodec,
  streams,
  type StreamStore,
} from '@millrace/stream-protocol'
import { createLogSpy, eventually as soon, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { checkpointLoop, ingesterLoops, streamEpochLoop, type StreamEpochLoopOptions } from './ingester.ts'

const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })
const openRedis = (url: string) => openStreams({ kind: 'redis', url, location: url, why: 'it is a test' })
const openDatabase = (url: string) => openMigratedDatabase({ url })

const host = 'https://relay.example'
const labeler = 'https://mod.example'
const keys = {
  firehose: cursorKey(streams.firehoseLive, host),
  listing: cursorKey(streams.repoBackfill, host),
  labels: cursorKey(streams.labelLive, labeler),
}
const account = { type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did: 'did:plc:abc', active: true } as const

const epochOf = (store: StreamStore, database: Database, options: Partial<StreamEpochLoopOptions> = {}) =>
  streamEpochLoop({
    store,
    database,
    loops: [],
    hosts: [host],
    labelerHosts: [labeler],
    logger: silentLogger,
    meter: noMeter,
    ...options,
  })

/** Read to 100, with rows up to 80. */
async function readFurther(store: StreamStore, database: Database): Promise<void> {
  await store.cursors.set(keys.firehose, '100')
  await store.cursors.set(keys.listing, INGESTER_DONE)
  await store.cursors.set(keys.labels, '7')
  await registerUpstreams(database, [{ host: 'relay.example', stream: streams.firehoseLive, url: host }])
  await database.pool.query('update millrace_upstream set checkpoint = 80 where stream = $1', [streams.firehoseLive])
}
const cursorsOf = async ({ cursors }: StreamStore): Promise<(string | null)[]> =>
  await Promise.all([cursors.get(keys.firehose), cursors.get(keys.listing), cursors.get(keys.labels)])

pgTest('what another store has is read again, once, by one process (I5)', async ({ databaseUrl }) => {
  await using redis = await startRedis()
  await using store = await openRedis(redis.url)
  await using database = await openDatabase(databaseUrl)
  const logger = createLogSpy()
  const processes = [epochOf(store, database, { logger }), epochOf(store, database, { logger })]
  for (const epoch of processes) await epoch.check()
  expect(logger.messages('error')).toEqual([])

  await readFurther(store, database)
  for (const epoch of processes) await epoch.check()
  expect(await cursorsOf(store)).toEqual(['100', INGESTER_DONE, '7'])

  await store.cursors.set(STREAM_EPOCH_KEY, 'another')
  await Promise.all(processes.map((epoch) => epoch.check()))
  expect(await cursorsOf(store)).toEqual(['80', null, null])
  expect(logger.messages('error')).toHaveLength(1)
  const gaps = await database.pool.query('select host, stream, from_seq, closed_at is null as open from millrace_gap')
  expect(gaps.rows).toEqual([{ host: 'mod.example', stream: 'label_live', from_seq: '7', open: false }])
  for (const epoch of processes) await epoch.check()
  expect(logger.messages('error')).toHaveLength(1)
})

pgTest(
  'what a database lacks that was restored is read again, once, by one process, and compared (I4)',
  async ({ databaseUrl }) => {
    await using redis = await startRedis()
    await using store = await openRedis(redis.url)
    await using database = await openDatabase(databaseUrl)
    const logger = createLogSpy()
    const processes = [epochOf(store, database, { logger }), epochOf(store, database, { logger })]
    for (const epoch of processes) await epoch.check()
    for (const epoch of processes) await epoch.check()
    const backup = await settingsOf(database)
    await readFurther(store, database)
    const upstream = { host: 'relay.example', stream: streams.firehoseLive, url: host, cursorKey: keys.firehose }
    const keeper = new CheckpointKeeper({ database, store, upstreams: [upstream] })
    await store.ensureGroup(streams.firehoseLive, groups.firehose)
    await keeper.keep()
    // Whoever looks while another one counts sees nothing wrong.
    for (let look = 0; look < 20; look++) await Promise.all(processes.map((epoch) => epoch.check()))
    expect(logger.messages('error')).toEqual([])
    expect(await cursorsOf(store)).toEqual(['100', INGESTER_DONE, '7'])

    await backup.restore()
    // Its checkpoint does not go on to where another database was.
    await keeper.keep()
    expect(await readCheckpoint(database, 'relay.example', streams.firehoseLive)).toBe('80')
    await Promise.all(processes.map((epoch) => epoch.check()))
    expect(await cursorsOf(store)).toEqual(['80', INGESTER_DONE, null])
    const errors = () => logger.entries.filter(({ level }) => level === 'error')
    expect(errors()).toMatchObject([{ fields: { alarm: 'database-restored' } }])
    const gaps = await database.pool.query(
      'select host, reason, from_seq, to_seq, closed_at is null as open from millrace_gap order by host',
    )
    expect(gaps.rows).toEqual([
      { host: 'mod.example', reason: 'database-restored', from_seq: '7', to_seq: null, open: false },
      { host: 'relay.example', reason: 'database-restored', from_seq: '80', to_seq: '100', open: true },
    ])
    for (const epoch of processes) await epoch.check()
    expect(errors()).toHaveLength(1)

    // A list that was not at its end begins anew.
    const again = await settingsOf(database)
    for (const epoch of processes) await epoch.check()
    await store.cursors.set(keys.listing, 'in the middle')
    await again.restore()
    await processes[0]!.check()
    expect(await store.cursors.get(keys.listing)).toBeNull()
  },
)

pgTest('a host without a checkpoint is compared with our rows (I5)', async ({ databaseUrl }) => {
  await using redis = await startRedis()
  await using store = await openRedis(redis.url)
  await using database = await openDatabase(databaseUrl)
  const epoch = epochOf(store, database)
  await epoch.check()
  await store.cursors.set(keys.firehose, '100')
  await store.cursors.delete(STREAM_EPOCH_KEY)
  await epoch.check()
  const gaps = await database.pool.query(
    'select host, stream, reason, from_seq from millrace_gap where closed_at is null',
  )
  expect(gaps.rows).toEqual([{ host: 'relay.example', stream: 'firehose_live', reason: 'store-lost', from_seq: '100' }])
})

pgTest(
  'labels that were lost behind the stream are read again from their labelers, now and then (S10, S20)',
  async ({ databaseUrl }) => {
    await using redis = await startRedis()
    await using store = await openRedis(redis.url)
    await using database = await openDatabase(databaseUrl)
    const ledger = new PostgresLedger({ database })
    const lost = { host: '', stream: streams.labelLive, reason: 'lost-entries' }
    const options = { database, cursors: store.cursors, labelStream: streams.labelLive, settleMs: 0 }
    const rewound = async (): Promise<string[]> => await rewindLabels(options)
    await epochOf(store, database).check()
    await readFurther(store, database)
    expect(await rewound()).toEqual([])

    await ledger.recordGap(lost)
    const [first, second] = await Promise.all([rewound(), rewound()])
    expect([...first, ...second]).toEqual(['mod.example'])
    expect(await cursorsOf(store)).toEqual(['100', INGESTER_DONE, null])
    const open = async () => (await database.pool.query('select from millrace_gap where closed_at is null')).rowCount
    expect(await open()).toBe(0)

    // What is lost once more so soon may be lost each time.
    await ledger.recordGap(lost)
    expect([await rewound(), await open()]).toEqual([[], 1])
    await database.pool.query(
      `update millrace_gap set closed_at = closed_at - interval '2 hours' where closed_at is not null`,
    )
    expect([await rewound(), await open()]).toEqual([['mod.example'], 0])
  },
)

pgTest(
  'a stream that is deleted is no stream that was read to its end (I4, I5, S4)',
  async ({ databaseUrl, signal }) => {
    await using redis = await startRedis()
    await using store = await openRedis(redis.url)
    await using database = await openDatabase(databaseUrl)
    const epoch = epochOf(store, database)
    const reading = (async () => {
      const consumer = store.consumer({
        stream: streams.firehoseLive,
        group: groups.firehose,
        consumer: 'one',
        codec: streamEventCodec,
        blockMs: 50,
      })
      for await (const _ of consumer.batches(signal)) break
    })()
    await eventually(async () => expect((await store.status([streams.firehoseLive]))[0]?.groups).toHaveLength(1))
    await epoch.check()
    await epoch.check()
    await readFurther(store, database)
    await database.pool.query(
      `insert into millrace_run (did, run, rev, seen) values ('did:plc:cut', 'lost', '3k2', '{[0,3)}')`,
    )
    await database.pool.query(
      `insert into millrace_dirty (did, reason, attempts, next_at) values ('did:plc:fetched', 'asked', 1, now() + interval '1 hour')`,
    )
    const upstream = { host: 'relay.example', stream: streams.firehoseLive, url: host, cursorKey: keys.firehose }
    const keeper = new CheckpointKeeper({ database, store, upstreams: [upstream] })
    const checkpoint = () => readCheckpoint(database, 'relay.example', streams.firehoseLive)
    await keeper.keep()

    // Written, read by nobody, and gone: as when an operator deletes the key.
    await deleteKey(redis.url, streams.firehoseLive)
    await keeper.keep()
    await eventually(async () => expect((await store.status([streams.firehoseLive]))[0]?.groups).toHaveLength(1))
    await keeper.keep()
    await keeper.keep()
    expect(await checkpoint()).toBe('80')
    await epoch.check()
    expect(await store.cursors.get(keys.firehose)).toBe('80')
    // Repos that were on their way are fetched again at once (B13).
    const due = await database.pool.query(
      `select did from millrace_dirty where next_at < now() + interval '1 second' order by did`,
    )
    expect(due.rows).toEqual([{ did: 'did:plc:cut' }, { did: 'did:plc:fetched' }])
    await store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }).append([account])
    await reading
  },
)

pgTest('a copy of the store from a while ago goes on from where it was (S18)', async ({ databaseUrl }) => {
  await using database = await openDatabase(databaseUrl)
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-epoch-'))
  const data = path.join(folder, 'data')
  const settings = { appendfsync: 'always' }
  const first = await startRedis({ folder: data, settings })
  const port = Number(new URL(first.url).port)
  const logger = createLogSpy()
  {
    await using store = await openRedis(first.url)
    await epochOf(store, database, { logger }).check()
    const writer = store.writer({ stream: streams.firehoseLive, codec: streamEventCodec })
    await writer.append([account], { cursor: { key: keys.firehose, from: null, to: '1' } })
    await cp(data, path.join(folder, 'copy'), { recursive: true })
    await writer.append([{ ...account, seq: 2 }], { cursor: { key: keys.firehose, from: '1', to: '2' } })
  }
  process.kill(first.pid, 'SIGKILL')
  await first.close()
  await rm(path.join(folder, 'copy', 'redis.pid'), { force: true })
  await using again = await startRedis({ folder: path.join(folder, 'copy'), port, settings })
  await using store = await openRedis(again.url)
  await epochOf(store, database, { logger }).check()
  expect(logger.messages('error')).toEqual([])
  expect([await store.cursors.get(keys.firehose), (await store.status([streams.firehoseLive]))[0]?.length]).toEqual([
    '1',
    1,
  ])
  await rm(folder, { recursive: true })
})

pgTest(
  'a Redis that comes back empty is filled again from its hosts (I4, I5)',
  { timeout: 120_000 },
  async ({ databaseUrl, signal }) => {
    await using network = await startSimulatedNetwork({ accounts: 3, recordsPerAccount: 2, labels: 4 })
    await using database = await openDatabase(databaseUrl)
    const first = await startRedis()
    const port = Number(new URL(first.url).port)
    await using store = await openRedis(first.url)
    const shared = {
      store,
      database,
      hosts: [network.relayUrl],
      labelerHosts: [network.labelerUrl],
      logger: silentLogger,
      meter: noMeter,
    }
    const loops = ingesterLoops({ ...shared, verify: 'off', startCursor: '0', allowPrivateHosts: true })
    const epoch = streamEpochLoop({ ...shared, loops })
    await epoch.ready(signal)
    // Its Redis goes after the loops.
    await using restarted = new AsyncDisposableStack()
    const stop = new AbortController()
    const running = runAll([...loops, checkpointLoop(shared)], AbortSignal.any([signal, stop.signal]))
    try {
      const lengths = async (): Promise<number[]> =>
        (await store.status([streams.firehoseLive, streams.repoBackfill, streams.labelLive])).map(
          ({ length }) => length,
        )
      await network.write(3)
      await eventually(async () => expect(await lengths()).toEqual([expect.toSatisfy((n: number) => n >= 3), 3, 4]))
      await eventually(() =>
        expect(loops[0]?.status()).toMatchObject({ state: 'streaming', cursor: String(network.head()) }),
      )
      const [before] = await lengths()

      process.kill(first.pid, 'SIGKILL')
      await first.close()
      const again = restarted.use(await startRedis({ port }))
      expect(again.url).toBe(first.url)
      await epoch.ready(signal)
      // Nothing of it had come to rows: all of it is read again, also from hosts that are silent.
      await eventually(async () => expect(await lengths()).toEqual([before, 3, 4]))
    } finally {
      stop.abort()
      await running
    }
  },
)

/** What the database says of itself, to be put back as a restored backup does. */
async function settingsOf({ pool }: Database): Promise<{ restore: () => Promise<void> }> {
  const { rows } = await pool.query<{ name: string; value: string }>(
    'select name, value::text as value from millrace_setting',
  )
  return {
    async restore() {
      await pool.query('delete from millrace_setting')
      for (const { name, value } of rows)
        await pool.query('insert into millrace_setting (name, value) values ($1, $2)', [name, value])
    },
  }
}

async function deleteKey(url: string, key: string): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('data', () => resolve())
    socket.write(`DEL ${key}\r\n`)
  })
  socket.destroy()
}
