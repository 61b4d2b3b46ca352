import type { InvalidEventError } from './errors.ts'

/** How a value stands in the one field of a stream entry. */
export interface Codec<T> {
  /** Name of the field, `event` or `repo`. */
  readonly field: string
  encode(value: T): string
  /** @throws {InvalidEventError} for text that is no such value. */
  decode(text: string): T
}

/** Moves a cursor together with an append: both happen, or neither (hazard I1). */
export interface CursorMove {
  /** As `cursorKey` makes it. */
  key: string
  /** What the writer believes to be stored; null for none. */
  from: string | null
  to: string
}

export interface AppendOptions {
  cursor?: CursorMove
  /** Ends the wait at the high water mark, by rejecting with the signal's reason. Nothing is appended then. */
  signal?: AbortSignal
}

/** Where events go. */
export interface EventSink<T> {
  readonly stream: string
  /**
   * Appends all events in order, or none, after waiting while the stream is at its high water mark.
   * Resolves once the store has accepted every one of them.
   *
   * With a cursor, the move and the append are one atomic step. A store that already holds `cursor.to` has this batch:
   * nothing is written and the call resolves, so a repeated call is harmless.
   * @throws {CursorConflictError} when the store holds another cursor than `from`.
   */
  append(events: readonly T[], options?: AppendOptions): Promise<void>
}

/** A decoded entry of a stream. */
export interface Entry<T> {
  /** Id of the entry in its stream, e.g. `1700000000000-0`. */
  readonly id: string
  readonly event: T
  /** How soon it is wanted, where the source knows: 0 when somebody waits for it, more when it may wait longer. */
  readonly priority?: number
}

/** An entry that is no event: kept whole, so that it can be dead-lettered with its reason (hazard S20). */
export interface RejectedEntry {
  readonly id: string
  /** Its text; null when the field is missing, or the entry was gone when it was read (hazard S10). */
  readonly raw: string | null
  /** Its reason is `GHOST` for an entry that was delivered, and left the stream before its ack. */
  readonly error: InvalidEventError
}

/**
 * Reason of a rejected entry that is no more: it was trimmed or deleted while pending. What it said is lost, so that it
 * is acked only once a gap is recorded (hazard S10).
 */
export const GHOST = 'gone'

/** Entries that were read together. */
export interface Batch<T> {
  readonly stream: string
  /** In stream order. */
  readonly entries: readonly Entry<T>[]
  readonly rejected: readonly RejectedEntry[]
  /**
   * Takes entries out of the stream; all of this batch when no ids are given. Call it after their effects are
   * durable, never before (hazard G3). May be called several times with different ids.
   */
  ack(ids?: readonly string[]): Promise<void>
}

/** Where events come from. Delivery is at least once, in the order of the stream, pending entries first. */
export interface BatchSource<T> {
  readonly stream: string
  readonly group: string
  /**
   * Yields batches until the signal is aborted, waiting for entries as long as it takes. It reads the next batch only
   * when asked for it, and does not give out an entry again while it is in a batch of this run that is not acked.
   * Loss of the store is waited out inside; what it throws is final.
   */
  batches(signal: AbortSignal): AsyncIterable<Batch<T>>
}

/** Our place in upstreams. */
export interface CursorStore {
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<void>
  /** Harmless when there is none. */
  delete(key: string): Promise<void>
}

/** Small values that several processes change, one after the other. */
export interface SharedState<T> {
  /**
   * Makes one value of another, undefined for none so far. `change` is a function of values: it may be called again when
   * somebody else was faster. Its second argument is the time in epoch milliseconds, by one clock for all.
   * @returns what `change` returns beside the value.
   */
  change<R>(name: string, change: (value: T | undefined, now: number) => [value: T, result: R]): Promise<R>
}

export interface WriterOptions<T> {
  stream: string
  codec: Codec<T>
  /** Entries at which `append` waits, until a tenth has left. @default 100_000 */
  highWaterMark?: number
  /** Bytes that the entries take in the store, an estimate, at which it waits as well. @default 1 GiB */
  highWaterBytes?: number
  /**
   * What is written can wait for what others write: leaves them the last part of the store's memory (hazard S16).
   * @default false
   */
  bulk?: boolean
  /** How often a waiting writer looks again, in milliseconds. @default 5_000 */
  checkMs?: number
}

export interface ConsumerOptions<T> {
  stream: string
  group: string
  /** Unique in the group. Two processes under one name would each take the other's pending entries. */
  consumer: string
  codec: Codec<T>
  /** Most entries in a batch. Large entries make shorter ones, so that a batch is never large in memory. @default 100 */
  batchSize?: number
  /** How long one read waits for entries, in milliseconds. @default 1_000 */
  blockMs?: number
  /** Idle time after which a pending entry of another consumer is taken over, in milliseconds. @default 60_000 */
  claimIdleMs?: number
  /**
   * Its entries may be at work for longer than that: while it runs, it has those that are pending for it count as not
   * idle, so that they are taken over when it is gone, and not when it is slow (hazards S6, B18). @default false
   */
  keepsClaims?: boolean
}

/** A member of a group: entries that it has not acked, and milliseconds since it last asked for any. */
export interface ConsumerStatus {
  name: string
  pending: number
  idleMs: number
}

/** How far the readers of a stream are that share its entries. */
export interface GroupStatus {
  name: string
  /** Delivered and not acked. */
  pending: number
  /** Not yet delivered; null where the store cannot tell. */
  undelivered: number | null
  /** Id of the entry that has waited longest for its ack; null when nothing waits. */
  oldestPendingId: string | null
  lastDeliveredId: string
  consumers: ConsumerStatus[]
}

/** How a stream stands at one moment. Numbers of different streams are not of the same moment. */
export interface StreamStatus {
  stream: string
  /** Entries in the stream, delivered or not. */
  length: number
  /** Entries that were ever appended; absent where the store does not count. */
  appended?: number
  firstId: string | null
  lastId: string | null
  groups: GroupStatus[]
}

/** An entry as it stands in its stream, whether or not somebody has read it. */
export interface StoredFields {
  id: string
  /** By name. An entry of ours has one, which its codec names. */
  fields: Readonly<Record<string, string>>
}

/** An entry that somebody was given, and has not acked. */
export interface PendingEntry {
  id: string
  consumer: string
  /** Since it was given to that consumer. */
  idleMs: number
  /** How often it was given out; null where the store does not count. */
  deliveries: number | null
}

/** What a store says of itself. What it does not tell is absent. */
export interface StoreDescription {
  version: string
  /** Its clock, in milliseconds since 1970. */
  now: number
  /** Of a store that holds its streams in memory; without a limit `maxBytes` is null. */
  memory?: { usedBytes: number; maxBytes: number | null; policy?: string }
  /** Of a store in memory: whether every write is logged to disk, and whether what it saves there can be written. */
  durability?: { isLogged: boolean; isSaving: boolean }
  /** Of a store in a file: the disk that it is on. */
  disk?: { freeBytes: number; totalBytes: number }
}

/** A store that streams live in: Redis, or one SQLite file. */
export interface StreamStore extends AsyncDisposable {
  readonly kind: 'redis' | 'sqlite'
  /** Where it is, without secrets, for people to read. */
  readonly location: string
  readonly cursors: CursorStore
  writer<T>(options: WriterOptions<T>): EventSink<T>
  consumer<T>(options: ConsumerOptions<T>): BatchSource<T>
  /** Creates stream and group if absent. A new group starts at the first entry, never at the end (hazard S4). */
  ensureGroup(stream: string, group: string): Promise<void>
  /**
   * Forgets consumers of a group that have nothing pending and were not heard of for that long, in one step: what is
   * pending for a consumer goes with it (hazard S9).
   * @returns their names; none for a group that does not exist.
   */
  removeIdleConsumers(stream: string, group: string, idleMs: number): Promise<string[]>
  /** Bounded in time and size, whatever the streams hold (hazard M7). A stream that does not exist has length 0. */
  status(streams: readonly string[]): Promise<StreamStatus[]>
  /**
   * Entries that are in the stream after the one with this id, in order. Nobody is given them. An id need not be one of an
   * entry: `<milliseconds>-0` is a moment, and `0-0` is before the first.
   */
  read(stream: string, options: { after: string; limit: number }): Promise<StoredFields[]>
  /** What is pending for a group after the entry with this id, in the order of the stream; none without such a group. */
  pending(stream: string, group: string, options: { after: string; limit: number }): Promise<PendingEntry[]>
  /** Quick, and the same whatever the streams hold. */
  describe(): Promise<StoreDescription>
  /** Resolves when the store answers. */
  ping(): Promise<void>
}

/** A message that was given up, with what is needed to understand and to repeat it (hazard G1). */
export interface DeadLetter {
  stream: string
  entryId: string
  /** From a closed set, such as `bad-json` or `invalid-repo`. */
  reason: string
  error: string
  did?: string | undefined
  uri?: string | undefined
  host?: string | undefined
  /** As received; cut to 64 KiB. */
  payload: string
}

/** An account whose repo, identity or status has to be looked at again (hazard G4). */
export interface DirtyMark {
  did: string
  reason: string
  host?: string | undefined
  rev?: string | undefined
  /** How soon it is wanted, as in `Entry`. @default 1 */
  priority?: number
  /** Not to be fetched before so many milliseconds, more or less. @default 0 */
  waitMs?: number
  /** Made only if the account's repo is known, or is to be fetched anyway. @default false */
  ifKnown?: boolean
}

/** An interval of a host's events that we may not have (hazards I7, I8, I11). */
export interface HostGap {
  host: string
  stream: string
  reason: string
  /** Cursor before and first sequence number after, where they are known. */
  fromSeq?: string | undefined
  toSeq?: string | undefined
}

/** Durable memory of what could not be processed. */
export interface Ledger {
  deadLetter(letters: readonly DeadLetter[]): Promise<void>
  markDirty(marks: readonly DirtyMark[]): Promise<void>
  recordGap(gap: HostGap): Promise<void>
}

/** The shape of a pino logger, as much of it as the libraries use. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Logger
}

const silence = (): void => undefined

/** Says nothing. The default of every library. */
export const silentLogger: Logger = {
  debug: silence,
  info: silence,
  warn: silence,
  error: silence,
  child: () => silentLogger,
}

/** Labels of a measurement, by name. Values have to come from a small set: each combination is kept for good. */
export type Labels = Readonly<Record<string, string>>

/** A number that only grows, such as events so far. */
export interface Counter {
  add(value: number, labels?: Labels): void
}

/** A number that goes up and down, such as a length. */
export interface Gauge {
  set(value: number, labels?: Labels): void
}

/** A distribution of measurements, such as durations in seconds. */
export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/**
 * Makes instruments. Label values come from closed sets: never a DID, a URI, a handle or free text (hazard O1).
 * Asking twice for one name gives the same instrument.
 */
export interface Meter {
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[]): Gauge
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram
}

const noInstrument = { add: silence, set: silence, observe: silence }

/** Measures nothing. The default of every library. */
export const noMeter: Meter = { counter: () => noInstrument, gauge: () => noInstrument, histogram: () => noInstrument }

/** A loop: lasts until the signal is aborted and the work in hand is done; rejects when it cannot go on. */
export interface Loop {
  /** For logs and health, e.g. `firehose bsky.network`. */
  readonly name: string
  /** Lasts, when it is called again after it has rejected, as if nothing had been. */
  run(signal: AbortSignal): Promise<void>
  /**
   * When it last took a step of the work that it has in hand, by the clock of `performance.now`; null while it has
   * none. Trying again is a step: only a loop that hangs takes none (hazard G11).
   */
  lastStepAt?(): number | null
}
