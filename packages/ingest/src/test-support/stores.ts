import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type AppendOptions,
  type Codec,
  type CursorStore,
  type DeadLetter,
  type DirtyMark,
  type EventSink,
  type HostGap,
  type Labels,
  type Ledger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { openSqliteStreams } from '@millrace/sqlite-streams'

export interface TestStore<T> extends AsyncDisposable {
  /** A real stream that remembers what was appended to it, and waits or fails where a test says so. */
  sink: EventSink<T>
  cursors: CursorStore
  /** Events appended by this sink, in order. */
  events: T[]
  /** Called before each append reaches the store. */
  before: (attempt: number) => void | Promise<void>
  /** Another writer of the same stream. */
  sinkWithMark(highWaterMark: number): EventSink<T>
  /** How many entries the store holds. */
  length(): Promise<number>
}

export async function openTestStore<T>(stream: string, codec: Codec<T>, highWaterMark?: number): Promise<TestStore<T>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-ingest-'))
  const store = await openSqliteStreams({ file: path.join(folder, 'streams.db') })
  const sinkWithMark = (highWaterMark: number | undefined): EventSink<T> => {
    const writer = store.writer({ stream, codec, checkMs: 10, ...(highWaterMark !== undefined && { highWaterMark }) })
    return {
      stream,
      async append(events: readonly T[], options?: AppendOptions) {
        await test.before(attempts++)
        await writer.append(events, options)
        test.events.push(...events)
      },
    }
  }
  let attempts = 0
  const test: TestStore<T> = {
    cursors: store.cursors,
    events: [],
    before: () => undefined,
    sink: sinkWithMark(highWaterMark),
    sinkWithMark,
    length: async () => (await store.status([stream]))[0]?.length ?? 0,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return test
}

export class TestLedger implements Ledger {
  readonly deadLetters: DeadLetter[] = []
  readonly dirty: DirtyMark[] = []
  readonly gaps: HostGap[] = []

  async deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    this.deadLetters.push(...letters)
  }
  async markDirty(marks: readonly DirtyMark[]): Promise<void> {
    this.dirty.push(...marks)
  }
  async recordGap(gap: HostGap): Promise<void> {
    this.gaps.push(gap)
  }
}

export interface TestMeter extends Meter {
  /** Sum or value under a name, over all labels that contain these; undefined when it was never registered. */
  read(name: string, labels?: Labels): number | undefined
}

export function createTestMeter(): TestMeter {
  const values = new Map<string, Map<string, number>>()
  const instrument = (name: string) => {
    const mine = values.get(name) ?? new Map<string, number>()
    values.set(name, mine)
    const write = (value: number, labels: Labels = {}) => mine.set(JSON.stringify(labels), value)
    return {
      add: (value: number, labels: Labels = {}) => void write((mine.get(JSON.stringify(labels)) ?? 0) + value, labels),
      set: (value: number, labels: Labels = {}) => void write(value, labels),
      observe: (value: number, labels: Labels = {}) => void write(value, labels),
    }
  }
  return {
    counter: instrument,
    gauge: instrument,
    histogram: instrument,
    read(name, labels = {}) {
      const found = [...(values.get(name) ?? [])].filter(([key]) => {
        const given = JSON.parse(key) as Labels
        return Object.entries(labels).every(([label, value]) => given[label] === value)
      })
      return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + value, 0)
    },
  }
}

/** Runs a loop until the block of the test is left, and fails the test if the loop failed. */
export function running(loop: Loop): AsyncDisposable & { done: Promise<void> } {
  const controller = new AbortController()
  const done = loop.run(controller.signal)
  // Looked at below; until then a failure must not end the process.
  done.catch(() => undefined)
  return {
    done,
    async [Symbol.asyncDispose]() {
      controller.abort()
      await done
    },
  }
}

/** Long enough for what must not happen to happen on loopback. */
export const aWhile = (): Promise<void> => wait(150)
