export { backfillEventCodec, OWN_PDS, readBackfillEvent, type BackfillEvent } from './backfill-event.ts'
export { isCid, isDid, isNsid, isObject, isRkey, isTid, type JsonObject } from './check.ts'
export { CollectionFilter } from './collection-filter.ts'
export { CursorConflictError, InvalidEventError } from './errors.ts'
export { compareIds, entryTime, idBefore } from './entry-id.ts'
export { labelEventCodec, readLabelEvent, type Label, type LabelEvent } from './label-event.ts'
export { MemoryState } from './memory-state.ts'
export { parseJson } from './parse-json.ts'
export {
  GHOST,
  noMeter,
  silentLogger,
  type AppendOptions,
  type Batch,
  type BatchSource,
  type Codec,
  type ConsumerOptions,
  type ConsumerStatus,
  type Counter,
  type CursorMove,
  type CursorStore,
  type DeadLetter,
  type DirtyMark,
  type Entry,
  type EventSink,
  type Gauge,
  type GroupStatus,
  type Histogram,
  type HostGap,
  type Labels,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
  type PendingEntry,
  type RejectedEntry,
  type SharedState,
  type StoreDescription,
  type StoredFields,
  type StreamStatus,
  type StreamStore,
  type WriterOptions,
} from './ports.ts'
export { isRecordJson, MAX_RECORD_DEPTH, recordJson } from './record-json.ts'
export { ResourceStack } from './resource-stack.ts'
export {
  readStreamEvent,
  recordUri,
  streamEventCodec,
  streamEventTextCodec,
  type AccountEvent,
  type CreateEvent,
  type DeleteEvent,
  type IdentityEvent,
  type RecordEvent,
  type RecordJson,
  type RepoEvent,
  type StreamEvent,
  type UpdateEvent,
} from './stream-event.ts'
export {
  cursorKey,
  DATABASE_TALLY_KEY,
  DEFAULT_HIGH_WATER_BYTES,
  DEFAULT_HIGH_WATER_MARK,
  epochKey,
  groups,
  hostWithoutScheme,
  INGESTER_DONE,
  isBackfillSeq,
  SEQ_BACKFILL,
  STREAM_EPOCH_KEY,
  streams,
} from './streams.ts'
export { Backoff, sleep, type BackoffOptions } from './time.ts'
export { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'
