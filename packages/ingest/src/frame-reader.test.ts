import { silentLogger } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { Batch } from './batch.ts'
import type { Conversion } from './conversion.ts'
import type { FrameGate } from './frame-gate.ts'
import { FrameReader, type FrameEnd } from './frame-reader.ts'
import { accountFrame, errorFrame, infoFrame } from './test-support/repos.ts'

const of = { host: 'relay.test', stream: 'firehose_live' }
const garbage = Buffer.from([0xff, 0x00, 0x01])

/** Reads numbers: each frame comes to its own. */
function open() {
  const convert = (frame: object): Conversion<number> => ({
    events: [(frame as { seq: number }).seq],
    outcome: 'appended',
    rejected: [],
    dirty: [],
  })
  const reader = new FrameReader<number>({ ...of, convert, logger: silentLogger })
  const begin = (seq: number | undefined, gate?: FrameGate<number>) => reader.begin({ seq, epoch: 0, gate })
  /** Reads into a batch of their own what comes after `seq`, up to what ends the connection. */
  const read = (seq: number | undefined, ...frames: Buffer[]) => {
    const batch = new Batch<number>(of.host, of.stream)
    const appended = { cursor: seq === undefined ? null : String(seq), seq }
    let end: FrameEnd | undefined
    for (const frame of frames) end ??= reader.read(frame, batch, appended)
    return { batch, end }
  }
  return { reader, begin, read }
}

test('frames are in the batch in their order, and the newest is known', () => {
  const { reader, begin, read } = open()
  begin(7)
  const { batch, end } = read(7, accountFrame(8), accountFrame(10))
  expect(end).toBeUndefined()
  expect(batch).toMatchObject({ events: [8, 10], frames: 2, lastSeq: 10 })
  expect(reader.seq).toBe(10)
})

test('the frame at the cursor may come again, once, and the sequence may not go back (I6)', () => {
  const { begin, read } = open()
  begin(7)
  const { batch, end } = read(7, accountFrame(7), accountFrame(8), accountFrame(8))
  expect([...batch.outcomes]).toEqual([
    ['ignored', 1],
    ['appended', 1],
    ['abandoned', 1],
  ])
  expect(end).toEqual({ next: 'retry', reason: 'sequence' })
})

test('a sequence that goes back at one place again and again is for a person to decide about (I6, I7)', () => {
  const { begin, read } = open()
  const ends = [1, 2, 3].map(() => {
    begin(7)
    return read(7, accountFrame(5)).end?.next
  })
  expect(ends).toEqual(['retry', 'retry', 'halt'])
})

test('what cannot be read three times at one place is stepped over, and its host has a gap up to the next number (I11)', () => {
  const { begin, read } = open()
  for (let time = 1; time < 3; time++) {
    begin(7)
    expect(read(7, garbage)).toMatchObject({
      end: { next: 'retry', reason: 'undecodable' },
      batch: { deadLetters: [] },
    })
  }
  begin(7)
  const { batch, end } = read(7, garbage, accountFrame(9))
  expect(end).toBeUndefined()
  expect(batch.events).toEqual([9])
  expect(batch.deadLetters).toMatchObject([{ entryId: 'after 7 at relay.test', payload: garbage.toString('base64') }])
  expect(batch.gaps).toEqual([{ ...of, reason: 'undecodable', fromSeq: '7', toSeq: '9' }])
})

test('a message that is too large is let in at the third connection to its place', () => {
  const { reader, begin } = open()
  const lets = [1, 2, 3].map(() => {
    begin(7)
    const isLet = reader.stepsOverLarge(7)
    reader.countTooLarge()
    return isLet
  })
  expect(lets).toEqual([false, false, true])
})

test('an outdated cursor is a gap from it to the next number (I8)', () => {
  const { begin, read } = open()
  begin(7)
  expect(read(7, infoFrame('OutdatedCursor'), accountFrame(12)).batch.gaps).toEqual([
    { ...of, reason: 'outdated-cursor', fromSeq: '7', toSeq: '12' },
  ])
})

test.each([
  ['FutureCursor', { next: 'halt', reason: 'future-cursor' }],
  ['ConsumerTooSlow', { next: 'retry', reason: 'consumer-too-slow' }],
  ['Whatever', { next: 'retry', reason: 'error-frame' }],
])('the error %s ends the connection (I7)', (error, end) => {
  const { begin, read } = open()
  begin(7)
  expect(read(7, errorFrame(error)).end).toEqual(end)
})

test('with a gate, a frame counts in the batch that it leaves with (I12)', () => {
  const held: { seq: number; conversion: Conversion<number> }[] = []
  const gate: FrameGate<number> = {
    firstBeyond: () => undefined,
    size: 0,
    isBusy: false,
    isReady: true,
    admit: (seq, conversion) => held.push({ seq, conversion }),
    take: () => held.splice(0),
    wait: () => Promise.resolve(),
    done: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
  const { reader, begin, read } = open()
  begin(7, gate)
  expect(read(7, accountFrame(8)).batch).toMatchObject({ events: [], frames: 0 })
  expect(reader.seq).toBe(8)
  const { batch } = read(7)
  reader.takeSettled(batch)
  expect(batch).toMatchObject({ events: [8], frames: 1, lastSeq: 8 })
})
