import { labelEventCodec, streams, type LabelEvent } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { LabelerIngester, type LabelerIngesterOptions } from './labeler-ingester.ts'
import { replay, startRelay } from './test-support/relay.ts'
import { encodeFrame, infoFrame, now } from './test-support/repos.ts'
import { recordedFrames } from './test-support/recorded.ts'
import { createTestMeter, openTestStore, running, TestLedger } from './test-support/stores.ts'

const openStore = () => openTestStore<LabelEvent>(streams.labelLive, labelEventCodec)
const quick: Partial<LabelerIngesterOptions> = { backoff: { minMs: 5, maxMs: 20 } }
const labeler = 'did:plc:labelerlabelerlabelerlab'
const label = { src: labeler, uri: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', val: 'spam', cts: now }
const labelsFrame = (seq: number, ...labels: object[]) => encodeFrame({ op: 1, t: '#labels' }, { seq, labels })
const keyOf = (host: string) => `label_live:cursor:${host.replace('http://', '')}`

describe('LabelerIngester', () => {
  test('reads a labeler from its first label, asking for 0 by name (L9), and later from its cursor', async () => {
    await using store = await openStore()
    const frames = [1, 2, 3].map((seq) => ({ seq, bytes: labelsFrame(seq, label) }))
    await using relay = await startRelay(replay(frames))
    for (const length of [3, 3]) {
      const ingester = new LabelerIngester({ ...store, host: relay.host, ...quick })
      await using _ = running(ingester)
      await eventually(async () => {
        expect(store.events).toHaveLength(length)
        expect(ingester.status().state).toBe('streaming')
      })
    }
    expect(relay.connections.map(({ cursor }) => cursor)).toEqual(['0', '3'])
    expect(relay.connections[0]?.path).toBe('/xrpc/com.atproto.label.subscribeLabels')
    expect(store.events.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test('appends a recording', async () => {
    await using store = await openStore()
    const frames = recordedFrames('subscribeLabels')
    await using relay = await startRelay(({ socket }) => frames.forEach((bytes) => socket.send(bytes)))
    await using _ = running(new LabelerIngester({ ...store, host: relay.host, ...quick }))
    await eventually(() => expect(store.events).toHaveLength(frames.length))
    expect(store.events[0]?.label).not.toHaveProperty('sig')
  })

  test('labels in the name of others, and such as are none, go to the dead letters and are counted (L7, L8)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const meter = createTestMeter()
    const spoofed = { ...label, src: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' }
    await using relay = await startRelay(({ socket }) =>
      socket.send(labelsFrame(1, spoofed, { ...label, val: '' }, label)),
    )
    const options = { ...store, host: relay.host, ...quick, expectedSrc: labeler, ledger, meter }
    await using _ = running(new LabelerIngester(options))
    await eventually(() => expect(store.events.map((event) => event.label)).toEqual([label]))
    expect(ledger.deadLetters.map(({ reason }) => reason)).toEqual(['spoofed-label', 'bad-label'])
    await eventually(() => {
      expect(meter.read('millrace_ingester_skipped_total', { reason: 'spoofed-label' })).toBe(1)
      expect(meter.read('labeler_ingester_stream_events_total', { stream: 'label_live' })).toBe(1)
      expect(meter.read('labeler_ingester_incoming_events_total', { stream: 'label_live' })).toBe(1)
    })
  })

  test('labels in bulk wait for room, and what another labeler says now is not far behind (L12)', async () => {
    await using store = await openStore()
    const bulk = Array.from({ length: 2_000 }, (_, i) => ({
      seq: i + 1,
      bytes: labelsFrame(i + 1, { ...label, val: `bulk${i}` }),
    }))
    await using busy = await startRelay(replay(bulk))
    await using calm = await startRelay(() => undefined)
    const shared = {
      ...store,
      ...quick,
      maxBatch: 50,
      bulk: { sink: store.sinkWithMark(150), burst: 100, perSecond: 0 },
    }
    const one = new LabelerIngester({ ...shared, host: busy.host })
    const other = new LabelerIngester({ ...shared, host: calm.host })
    await using loops = new AsyncDisposableStack()
    for (const loop of [one, other]) loops.use(running(loop))
    await eventually(async () => {
      expect(await store.length()).toBeGreaterThanOrEqual(150)
      expect(calm.connections).toHaveLength(1)
    })
    // Nobody reads the stream: the one with much to say stays where it is, also while others go on.
    for (const [index, val] of ['!takedown', '!hide'].entries()) {
      calm.connections[0]?.socket.send(labelsFrame(index + 1, { ...label, val }))
      await eventually(() => expect(store.events.at(-1)?.label.val).toBe(val))
    }
    // It waits, and drops nothing.
    await eventually(async () => expect(one.status().lastSeq).toBe((await store.length()) - 2))
    expect(await store.length()).toBeLessThan(150 + 50 + 2)
  })

  test('#info and unknown messages neither end it nor move the cursor (L10)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(({ socket }) => {
      socket.send(infoFrame('Whatever'))
      socket.send(encodeFrame({ op: 1, t: '#new' }, { seq: 9 }))
    })
    const ingester = new LabelerIngester({ ...store, host: relay.host, ...quick })
    await using _ = running(ingester)
    await eventually(() => expect(ingester.status().frames).toBe(2))
    expect(await store.cursors.get(keyOf(relay.host))).toBeNull()
    relay.connections[0]?.socket.send(labelsFrame(4, label))
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe('4'))
    expect(relay.connections).toHaveLength(1)
  })

  test('a frame whose labels are all rejected still moves the cursor (I17)', async () => {
    await using store = await openStore()
    await using relay = await startRelay(({ socket }) => socket.send(labelsFrame(6, { ...label, uri: 'nothing' })))
    await using _ = running(new LabelerIngester({ ...store, host: relay.host, ...quick }))
    await eventually(async () => expect(await store.cursors.get(keyOf(relay.host))).toBe('6'))
    expect(await store.length()).toBe(0)
  })
})
