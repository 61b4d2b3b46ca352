import { randomBytes } from 'node:crypto'
import { Secp256k1Keypair } from '@atproto/crypto'
import type { DidResolution } from '@millrace/identity'
import { streamEventCodec, streams, type StreamEvent } from '@millrace/stream-protocol'
import { createLogSpy, eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { FirehoseIngester, type FirehoseIngesterOptions } from './firehose-ingester.ts'
import { SignaturePool } from './signature-pool.ts'
import { replay, startRelay } from './test-support/relay.ts'
import {
  accountFrame,
  alice,
  encodeFrame,
  errorFrame,
  infoFrame,
  post,
  TestRepo,
  commitFrame,
} from './test-support/repos.ts'
import { manifest, recordedFrames, recordedIdentities } from './test-support/recorded.ts'
import { aWhile, createTestMeter, openTestStore, running, TestLedger } from './test-support/stores.ts'

const openStore = (highWaterMark?: number) =>
  openTestStore<StreamEvent>(streams.firehoseLive, streamEventCodec, highWaterMark)
const quick: Partial<FirehoseIngesterOptions> = { backoff: { minMs: 5, maxMs: 20 }, haltedRetryMs: 20, idleMs: 0 }
const accounts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ seq: from + n, bytes: accountFrame(from + n) }))
const seqs = (events: StreamEvent[]) => events.map((event) => event.seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const keyOf = (host: string) => `firehose_live:cursor:${host.replace('http://', '')}`
const garbage = Buffer.from([0xff, 0x00, 0x01])

describe('FirehoseIngester', () => {
  test('appends a whole recording, and its cursor with it (I1)', async () => {
    await using store = await openStore()
    const frames = recordedFrames('subscribeRepos')
    await using relay = await startRelay(({ socket }) => frames.forEach((bytes) => socket.send(bytes)))
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick })
    await using _ = running(ingester)
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe(`${manifest.inputs.lastSeq}`))
    expect(await store.length()).toBe(store.events.length)
    expect(ingester.status()).toMatchObject({
      host: relay.host.replace('http://', ''),
      state: 'streaming',
      cursor: `${manifest.inputs.lastSeq}`,
      lastSeq: manifest.inputs.lastSeq,
      frames: frames.length,
      events: store.events.length,
      reconnects: 0,
    })
    expect(store.events.at(-1)).toMatchObject({ host: relay.host.replace('http://', '') })
  })

  test('sends no cursor when none is stored, and the stored one as it is otherwise (I3)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(() => undefined)
    {
      await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick }))
      await eventually(() => expect(relay.connections).toHaveLength(1))
    }
    await store.cursors.set(keyOf(relay.host), '0')
    {
      await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick }))
      await eventually(() => expect(relay.connections).toHaveLength(2))
    }
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual([null, '0'])
    expect(relay.connections[0]?.path).toBe('/xrpc/com.atproto.sync.subscribeRepos')
  })

  test('is connected once it is read, and where it was read before also while the host is away', async () => {
    await using store = await openStore()
    await using relay = await startRelay(() => undefined)
    const signal = AbortSignal.timeout(20_000)
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick })
    let isConnected = false
    const connected = ingester.connected(signal).then(() => (isConnected = true))
    await aWhile()
    expect(isConnected).toBe(false)
    {
      await using _ = running(ingester)
      await connected
      expect(ingester.status().state).toBe('streaming')
    }
    const away = new FirehoseIngester({ ...store, host: 'http://127.0.0.1:1', ...quick })
    await store.cursors.set(keyOf('http://127.0.0.1:1'), '7')
    await using _ = running(away)
    await away.connected(signal)
    expect(away.status()).toMatchObject({ cursor: '7' })
    expect(signal.aborted).toBe(false)
  })

  test('starts where it is told when no cursor is stored (I4)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(replay(accounts(1, 9)))
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, startCursor: '5' }))
    await eventually(() => expect(seqs(store.events)).toEqual(range(6, 9)))
  })

  test('goes on from the cursor after the connection breaks, without loss or repetition', async () => {
    await using store = await openStore()
    const frames = accounts(1, 30)
    await using relay = await startRelay((connection) => {
      const { socket, cursor } = connection
      replay(frames.slice(0, Number(cursor ?? 0) + 10))(connection)
      // The first time politely, the second time not.
      if (connection.index === 0) socket.close(1001, 'restarting')
      else if (connection.index === 1) setTimeout(() => socket.terminate(), 50)
    })
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick })
    await using _ = running(ingester)
    await eventually(() => expect(seqs(store.events)).toEqual(range(1, 30)))
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual([null, '10', '20'])
    expect(ingester.status().reconnects).toBe(2)
  })

  test('when another writer moved the cursor, writes nothing and goes on from there (I1)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(replay(accounts(1, 20)))
    const meter = createTestMeter()
    await store.cursors.set(keyOf(relay.host), '3')
    store.before = (attempt) => (attempt === 0 ? store.cursors.set(keyOf(relay.host), '12') : undefined)
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, meter }))
    await eventually(() => expect(seqs(store.events)).toEqual(range(13, 20)))
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual(['3', '12'])
    // Every frame that was received is counted once (G1).
    const received = meter.read('firehose_ingester_incoming_events_total')
    expect(meter.read('millrace_ingester_frames_total')).toBe(received)
    expect(meter.read('millrace_ingester_frames_total', { outcome: 'appended' })).toBe(8)
  })

  test('waits for a store that is away, and then appends each event once (G10)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(replay(accounts(1, 20)))
    store.before = (attempt) => {
      if (attempt < 3) throw new Error('READONLY')
    }
    const logger = createLogSpy()
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, logger }))
    await eventually(() => expect(seqs(store.events)).toEqual(range(1, 20)))
    expect(relay.connections).toHaveLength(1)
    expect(logger.messages('warn')).toContain('cannot append to firehose_live: waiting')
  })

  test('a frame repeated at the cursor is passed over, and counted (I6)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(({ socket }) => {
      for (const seq of [5, 6]) socket.send(accountFrame(seq))
    })
    const meter = createTestMeter()
    await store.cursors.set(keyOf(relay.host), '5')
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, meter }))
    await eventually(() => expect(seqs(store.events)).toEqual([6]))
    expect(meter.read('millrace_ingester_skipped_total', { reason: 'duplicate' })).toBe(1)
  })

  test('a sequence that goes back ends the connection, never lowers the cursor, and halts when it stays so (I6)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    await using relay = await startRelay(({ socket, index }) => {
      const sent = index === 0 ? [7, 8, 8] : [3, 9]
      for (const seq of sent) socket.send(accountFrame(seq))
    })
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger })
    await using _ = running(ingester)
    await eventually(() => expect(ingester.status()).toMatchObject({ state: 'halted', reason: 'sequence' }))
    expect(seqs(store.events)).toEqual([7, 8])
    expect(relay.connections.map(({ cursor }) => cursor).slice(0, 3)).toEqual([null, '8', '8'])
    await eventually(() => expect(relay.connections.length).toBeGreaterThan(5))
    expect(ledger.gaps).toMatchObject([{ reason: 'sequence', fromSeq: '8' }])
  })

  test('FutureCursor halts it with an alarm, and never resets the cursor (I7)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const logger = createLogSpy()
    await using relay = await startRelay((connection) => {
      if (Number(connection.cursor) > 50) connection.socket.send(errorFrame('FutureCursor'))
      else replay(accounts(1, 3))(connection)
    })
    await store.cursors.set(keyOf(relay.host), '99')
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger, logger })
    await using _ = running(ingester)
    await eventually(() =>
      expect(ingester.status()).toMatchObject({ state: 'halted', reason: 'future-cursor', cursor: '99' }),
    )
    await eventually(() => expect(relay.connections.length).toBeGreaterThan(2))
    expect(await store.cursors.get(keyOf(relay.host))).toBe('99')
    expect(ledger.gaps).toMatchObject([{ reason: 'future-cursor', fromSeq: '99' }])
    expect(logger.entries).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ alarm: 'future-cursor' }) as object,
      }),
    )
    // Once somebody decides about the cursor, it goes on.
    await store.cursors.set(keyOf(relay.host), '0')
    await eventually(() => expect(seqs(store.events)).toEqual([1, 2, 3]))
    expect(ingester.status()).not.toHaveProperty('reason')
  })

  test('numbers after a halt are of another epoch than those before, also for the next process (L2, I22)', async () => {
    await using store = await openStore()
    const epochs = () => store.events.map((event) => [(event as { seq: number }).seq, event.epoch ?? 0])
    let lost = false
    await using relay = await startRelay((connection) => {
      if (lost && Number(connection.cursor) > 2) connection.socket.send(errorFrame('FutureCursor'))
      else replay(accounts(1, lost ? 2 : 3))(connection)
    })
    await store.cursors.set(keyOf(relay.host), '0')
    const run = async (expected: unknown[]) => {
      const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick })
      await using _ = running(ingester)
      await eventually(() => expect(epochs()).toEqual(expected))
      if (lost) return
      lost = true
      relay.connections.at(-1)?.socket.close()
      await eventually(() => expect(ingester.status()).toMatchObject({ state: 'halted' }))
      await store.cursors.set(keyOf(relay.host), '1')
      await eventually(() => expect(epochs()).toEqual([...expected, [2, 1]]))
    }
    await run([
      [1, 0],
      [2, 0],
      [3, 0],
    ])
    await store.cursors.set(keyOf(relay.host), '0')
    await run([
      [1, 0],
      [2, 0],
      [3, 0],
      [2, 1],
      [1, 1],
      [2, 1],
    ])
  })

  test('FutureCursor is retried no sooner than after a minute unless told otherwise (I7)', async () => {
    await using store = await openStore()
    const logger = createLogSpy()
    await using relay = await startRelay(({ socket }) => socket.send(errorFrame('FutureCursor')))
    const { haltedRetryMs: _unused, ...rest } = quick
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...rest, logger }))
    const entry = await eventually(() => {
      const found = logger.entries.find(({ level }) => level === 'error')
      expect(found).toBeDefined()
      return found
    })
    expect(entry?.fields['delayMs']).toBeGreaterThanOrEqual(60_000)
  })

  test('OutdatedCursor leaves a gap up to the first event that came, and goes on (I8)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    await using relay = await startRelay(({ socket }) => {
      socket.send(infoFrame('OutdatedCursor'))
      for (const seq of [40, 41]) socket.send(accountFrame(seq))
    })
    await store.cursors.set(keyOf(relay.host), '5')
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger }))
    await eventually(() => expect(seqs(store.events)).toEqual([40, 41]))
    const host = relay.host.replace('http://', '')
    expect(ledger.gaps).toEqual([
      { host, stream: 'firehose_live', reason: 'outdated-cursor', fromSeq: '5', toSeq: '40' },
    ])
    expect(relay.connections).toHaveLength(1)
  })

  test('ConsumerTooSlow is answered by coming back from the cursor (I9)', async () => {
    await using store = await openStore()
    await using relay = await startRelay((connection) => {
      replay(accounts(1, connection.index === 0 ? 5 : 10))(connection)
      if (connection.index === 0) connection.socket.send(errorFrame('ConsumerTooSlow'))
    })
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick })
    await using _ = running(ingester)
    await eventually(() => expect(seqs(store.events)).toEqual(range(1, 10)))
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual([null, '5'])
  })

  test('a refused upgrade is retried, as late as Retry-After says (I9)', async () => {
    await using store = await openStore()
    const logger = createLogSpy()
    await using relay = await startRelay(replay(accounts(1, 2)), (index, response) => {
      if (index > 1) return false
      response.writeHead(index === 0 ? 503 : 429, index === 0 ? {} : { 'Retry-After': '1' })
      response.end()
      return true
    })
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, logger }))
    await eventually(() => expect(seqs(store.events)).toEqual([1, 2]))
    const delays = logger.entries
      .filter(({ message, fields }) => message === 'connection over: waiting' && fields['reason'] === 'refused')
      .map(({ fields }) => fields['delayMs'] as number)
    expect(delays[0]).toBeLessThanOrEqual(20)
    expect(delays[1]).toBe(1_000)
  })

  test.each([
    { name: 'grow while connections bring no lasting data', healthyMs: 60_000, grows: true },
    { name: 'start over after healthy data', healthyMs: 0, grows: false },
  ])('delays $name (I9)', async ({ healthyMs, grows }) => {
    await using store = await openStore()
    const logger = createLogSpy()
    await using relay = await startRelay(({ socket, index }) => {
      socket.send(accountFrame(index + 1))
      socket.close()
    })
    const backoff = { minMs: 2, maxMs: 10_000 }
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, backoff, healthyMs, logger }))
    await eventually(() => expect(relay.connections.length).toBeGreaterThan(5))
    const delays = logger.entries
      .filter(({ message }) => message === 'connection over: waiting')
      .map(({ fields }) => fields['delayMs'] as number)
    if (grows) expect(delays[4]).toBeGreaterThanOrEqual(16)
    else expect(Math.max(...delays)).toBeLessThanOrEqual(2)
  })

  test('a host that brings no data is left, whatever it pings (I10)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(({ socket, index }) => {
      socket.send(accountFrame(index + 1))
      const timer = setInterval(() => socket.ping(), 10)
      socket.on('close', () => clearInterval(timer))
    })
    const logger = createLogSpy()
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick, idleMs: 100, logger })
    await using _ = running(ingester)
    await eventually(() => expect(relay.connections.length).toBeGreaterThan(2))
    expect(logger.entries).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ reason: 'idle' }) as object }),
    )
  })

  test('a host that brings data now and then is kept, and so is one without when the watch is off (I10)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(({ socket }) => {
      let seq = 0
      const timer = setInterval(() => socket.send(accountFrame(++seq)), 40)
      socket.on('close', () => clearInterval(timer))
    })
    await using quiet = await startRelay(() => undefined)
    const watched = new FirehoseIngester({ ...store, host: relay.host, ...quick, idleMs: 1_000 })
    const unwatched = new FirehoseIngester({ ...store, host: quiet.host, ...quick, idleMs: 0 })
    await using _ = running({
      name: 'both',
      run: async (signal) => void (await Promise.all([watched.run(signal), unwatched.run(signal)])),
    })
    await eventually(() => expect(store.events.length).toBeGreaterThan(30))
    expect(relay.connections).toHaveLength(1)
    expect(quiet.connections).toHaveLength(1)
  })

  test('a host that answers no ping is left even when the watch is off', async () => {
    await using store = await openStore()
    // A host that is gone without a word: its side of the connection reads nothing any more.
    await using relay = await startRelay(({ socket }) => socket.pause())
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, idleMs: 0, pingMs: 50 }))
    await eventually(() => expect(relay.connections.length).toBeGreaterThan(1))
  })

  test('a frame that is none: two times the connection is dropped, the third time it is stepped over (I11)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const meter = createTestMeter()
    await using relay = await startRelay(({ socket, cursor }) => {
      if (cursor === null) for (const seq of [1, 2]) socket.send(accountFrame(seq))
      if (Number(cursor ?? 0) < 3) {
        socket.send(garbage)
        socket.send(garbage)
      }
      if (Number(cursor ?? 0) < 4) for (const seq of [3, 4]) socket.send(accountFrame(seq))
    })
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger, meter }))
    await eventually(() => expect(seqs(store.events)).toEqual([1, 2, 3, 4]))
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual([null, '2', '2'])
    expect(ledger.deadLetters).toHaveLength(2)
    expect(ledger.deadLetters[0]).toMatchObject({
      stream: 'firehose_live',
      entryId: `after 2 at ${relay.host.replace('http://', '')}`,
      reason: 'bad-cbor',
      payload: garbage.toString('base64'),
      error: expect.stringMatching(/sha256 [0-9a-f]{64}/) as string,
    })
    expect(ledger.gaps).toMatchObject([{ reason: 'undecodable', fromSeq: '2', toSeq: '3' }])
    // Each has ended in one way (G1), and so the process says that it has none in hand (O7).
    await eventually(() =>
      expect(meter.read('millrace_ingester_frames_total')).toBe(meter.read('firehose_ingester_incoming_events_total')),
    )
    await eventually(() => expect(meter.read('millrace_ingester_frames_in_hand')).toBe(0))
    expect(meter.read('millrace_ingester_frames_total', { outcome: 'undecodable' })).toBe(2)
  })

  test('a message of more than 5,000,000 bytes holds nothing up for ever (I11)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const huge = accountFrame(2, { padding: randomBytes(5_000_001) })
    await using relay = await startRelay(
      replay([...accounts(1, 1), { seq: 2, bytes: huge }, { seq: 3, bytes: accountFrame(3) }]),
    )
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger }))
    await eventually(() => expect(seqs(store.events)).toEqual([1, 3]))
    expect(ledger.deadLetters).toMatchObject([
      { reason: 'too-large', payload: huge.subarray(0, 49_152).toString('base64') },
    ])
    expect(ledger.deadLetters[0]?.payload.length).toBeLessThanOrEqual(65_536)
    expect(ledger.gaps).toMatchObject([{ fromSeq: '1', toSeq: '3' }])
  })

  test('unknown messages are passed over, and counted (I11)', async () => {
    await using store = await openStore()
    const meter = createTestMeter()
    await using relay = await startRelay(({ socket }) => {
      socket.send(encodeFrame({ op: 1, t: '#tombstone' }, { seq: 1 }))
      socket.send(encodeFrame({ op: 7 }, {}))
      // Of another endpoint: its number is of another sequence.
      socket.send(encodeFrame({ op: 1, t: '#labels' }, { seq: 50, labels: [] }))
      socket.send(accountFrame(2))
    })
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, meter }))
    await eventually(() => expect(seqs(store.events)).toEqual([2]))
    expect(meter.read('millrace_ingester_skipped_total', { reason: 'unknown-type' })).toBe(3)
    expect(relay.connections).toHaveLength(1)
  })

  test('an invalid commit is marked before the cursor passes it (I19, G3)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const meter = createTestMeter()
    const repo = await TestRepo.create()
    const body = await repo.commit({ action: 'create', path: 'app.bsky.feed.post/3k1', record: post('forged') })
    const marksAtAppend: number[] = []
    store.before = () => void marksAtAppend.push(ledger.dirty.length)
    await using relay = await startRelay(({ socket }) => socket.send(commitFrame({ ...body, repo: `${alice}b` })))
    await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ...quick, ledger, meter }))
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe('1'))
    expect(store.events).toEqual([])
    expect(marksAtAppend).toEqual([1])
    expect(ledger.dirty).toMatchObject([{ did: `${alice}b`, reason: 'bad-commit' }])
    await eventually(() => expect(meter.read('millrace_ingester_skipped_total', { reason: 'bad-commit' })).toBe(1))
    expect(meter.read('millrace_ingester_marks_total', { kind: 'dirty' })).toBe(1)
  })

  test('a full stream stops the reading of the socket, and nothing is lost (I14)', async () => {
    await using store = await openStore()
    const gate = Promise.withResolvers<void>()
    store.before = () => gate.promise
    const count = 3_000
    const frames = range(1, count).map((seq) => ({ seq, bytes: accountFrame(seq, { padding: randomBytes(10_000) }) }))
    await using relay = await startRelay(replay(frames))
    const ingester = new FirehoseIngester({
      ...store,
      host: relay.host,
      ...quick,
      // The watch must not take our own slowness for the host's.
      idleMs: 100,
      maxBufferedBytes: 500_000,
      maxBatchBytes: 200_000,
    })
    await using _ = running(ingester)
    await eventually(() => expect(relay.connections).toHaveLength(1))
    // Of 30 MB, what is neither in our bounded queue nor in the buffers of TCP stays at the host.
    const left = () => relay.connections[0]?.socket.bufferedAmount ?? 0
    await eventually(async () => {
      const before = left()
      await aWhile()
      expect(left()).toBe(before)
    })
    expect(left()).toBeGreaterThan(10_000_000)
    expect(store.events).toEqual([])
    gate.resolve()
    await eventually(() => expect(store.events.length).toBe(count))
    expect(seqs(store.events)).toEqual(range(1, count))
    expect(relay.connections).toHaveLength(1)
    expect(ingester.status().frames).toBe(count)
  })

  test('stops while it waits at the high water mark, with nothing half done', async () => {
    await using store = await openStore(5)
    await using relay = await startRelay(replay(accounts(1, 50)))
    const ingester = new FirehoseIngester({ ...store, host: relay.host, ...quick, maxBatch: 5 })
    {
      await using _ = running(ingester)
      await eventually(() => expect(store.events.length).toBeGreaterThanOrEqual(5))
      await aWhile()
    }
    expect(await store.cursors.get(keyOf(relay.host))).toBe(`${store.events.at(-1)?.seq}`)
    expect(await store.length()).toBe(store.events.length)
    expect(store.events.length).toBeLessThan(50)
  })

  test('its metrics are there from the start, at 0 (O2)', async () => {
    await using store = await openStore()
    const meter = createTestMeter()
    const ingester = new FirehoseIngester({ ...store, host: 'relay.test', meter })
    expect(ingester.name).toBe('firehose relay.test')
    const labels = { stream: 'firehose_live', host: 'relay.test' }
    for (const name of [
      'firehose_ingester_incoming_events_total',
      'firehose_ingester_stream_events_total',
      'millrace_ingester_reconnects_total',
      'millrace_ingester_frames_in_hand',
      'millrace_ingester_cursor',
      'millrace_ingester_lag_seconds',
    ])
      expect(meter.read(name, labels)).toBe(0)
    expect(meter.read('millrace_ingester_skipped_total', { ...labels, reason: 'bad-car' })).toBe(0)
    expect(meter.read('millrace_ingester_connection_state', { ...labels, state: 'connecting' })).toBe(1)
    expect(meter.read('millrace_ingester_connection_state', { ...labels, state: 'halted' })).toBe(0)
  })

  test('keeps its cursor before an account whose key is not known yet, and reads on (I12, I13)', async () => {
    await using store = await openStore()
    await using pool = new SignaturePool({ threads: 1 })
    const keypair = await Secp256k1Keypair.create()
    const bob = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
    const frames: { seq: number; bytes: Buffer }[] = []
    for (const did of [bob, alice, bob, bob]) {
      const repo = await TestRepo.create(did, keypair)
      const seq = frames.length + 1
      const body = await repo.commit({ action: 'create', path: `app.bsky.feed.post/${seq}`, record: post('signed') })
      frames.push({ seq, bytes: commitFrame({ ...body, seq }) })
    }
    await using relay = await startRelay(replay(frames))
    const ledger = new TestLedger()
    const meter = createTestMeter()
    const open = (answer: (did: string) => Promise<void>) => {
      const resolve = async (did: string): Promise<DidResolution> => {
        await answer(did)
        return { kind: 'found', identity: { did, document: {}, signingKey: keypair.did() } }
      }
      const signatures = { pool, resolver: { resolve, expire: () => undefined } }
      return new FirehoseIngester({
        ...store,
        host: relay.host,
        ...quick,
        verify: 'signatures',
        signatures,
        ledger,
        meter,
      })
    }
    {
      const ingester = open((did) => (did === alice ? new Promise(() => undefined) : Promise.resolve()))
      await using _ = running(ingester)
      await eventually(() => expect(seqs(store.events)).toEqual([1, 3, 4]))
      await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe('1'))
    }
    // Whoever is started next reads again from before what had waited.
    await using _ = running(open(async () => undefined))
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe('4'))
    expect(new Set(seqs(store.events))).toEqual(new Set([1, 2, 3, 4]))
    expect(ledger.dirty).toEqual([])
    const outcome = (name: string) => meter.read('millrace_ingester_frames_total', { outcome: name })
    expect([outcome('appended'), outcome('abandoned')]).toEqual([6, 1])
    expect(meter.read('firehose_ingester_incoming_events_total')).toBe(7)
  })

  test('a whole recording holds with the keys of its accounts', async () => {
    await using store = await openStore()
    await using pool = new SignaturePool({ threads: 1 })
    const frames = recordedFrames('subscribeRepos')
    await using relay = await startRelay(({ socket }) => frames.forEach((bytes) => socket.send(bytes)))
    const identities = recordedIdentities()
    const resolve = async (did: string): Promise<DidResolution> => {
      const identity = identities.get(did)
      return identity ? { kind: 'found', identity } : { kind: 'absent', tombstoned: false }
    }
    const signatures = { pool, resolver: { resolve, expire: () => undefined } }
    const meter = createTestMeter()
    await using _ = running(
      new FirehoseIngester({ ...store, host: relay.host, ...quick, verify: 'signatures', signatures, meter }),
    )
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe(`${manifest.inputs.lastSeq}`))
    expect(meter.read('millrace_ingester_frames_total', { outcome: 'appended' })).toBe(frames.length)
  })

  test('verification that it cannot do is refused', async () => {
    await using store = await openStore()
    expect(() => new FirehoseIngester({ ...store, host: 'relay.test', verify: 'all' as 'off' })).toThrow(
      'cannot verify "all": integrity, signatures and off are known',
    )
    expect(() => new FirehoseIngester({ ...store, host: 'relay.test', verify: 'signatures' })).toThrow(
      'signatures cannot be verified without a resolver',
    )
  })
})
