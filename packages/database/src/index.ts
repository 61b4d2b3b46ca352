export { AlarmStore, type Silence, type StoredAlarm } from './alarm-store.ts'
export { BackfillQueue, type BackfillCounts } from './backfill-queue.ts'
export { backfillStatus, readBackfillStatus, type BackfillStatus } from './backfill-status.ts'
export { backfillerReports, REPORT_MS, type BackfillerReport } from './backfiller-reports.ts'
export { CheckpointKeeper, lowerCheckpoint, readCheckpoint, type CheckpointKeeperOptions } from './checkpoint-keeper.ts'
export { closeUnfinishedRuns, type CloseUnfinishedRunsOptions } from './close-unfinished-runs.ts'
export {
  readCollectionFilter,
  readOwedHosts,
  settleOwedHost,
  shareCollectionFilter,
  type SharedCollections,
  type ShareCollectionsOptions,
} from './collection-setting.ts'
export {
  BY_COLLECTION,
  readListedCollections,
  shareRepos,
  takenRepos,
  type SharedRepos,
  type ShareReposOptions,
  type TakenRepos,
} from './repo-setting.ts'
export { classifyError, isTooMuchAtOnce, type ErrorClass } from './classify-error.ts'
export { DeadLetterQueue, type DeadLetterQueueOptions } from './dead-letter-queue.ts'
export {
  DeadLetters,
  DISCARDABLE,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterState,
  type KeptLetter,
  type LetterSubject,
  type RetryOptions,
  type RetryReport,
  type WholeLetter,
} from './dead-letters.ts'
export { readToldTally, tallyOfDatabase } from './database-tally.ts'
export { DirtyQueue, type DirtyQueueOptions } from './dirty-queue.ts'
export { ConsumerLease, type ConsumerLeaseOptions } from './consumer-lease.ts'
export { DatabaseConnectionError, MigrationError, SchemaError } from './errors.ts'
export { identityVersion } from './identity-version.ts'
export {
  deadLetterStatement,
  dirtyStatement,
  gapStatement,
  PostgresLedger,
  type LedgerSummary,
  type PostgresLedgerOptions,
} from './ledger.ts'
export { lockKey, lockNamespaces, type LockNamespace } from './locks.ts'
export {
  assertCanMigrate,
  assertMigrated,
  migrate,
  migrationStatus,
  type MigrateOptions,
  type MigrationStatus,
  type SchemaOptions,
} from './migrate.ts'
export type { Migration } from './migrations/index.ts'
export type { MigrationSet } from './migrations/migration-set.ts'
export { openDatabase, type Database, type OpenDatabaseOptions } from './open-database.ts'
export { PauseWatch, type PauseWatchOptions } from './pause-watch.ts'
export { countPausedRepos, pausedRepoStatement, releasePausedRepos } from './paused-repos.ts'
export { pauseKinds, Pauses, type Pause, type PauseKind, type PauseTarget } from './pauses.ts'
export { PostgresState, type PostgresStateOptions } from './postgres-state.ts'
export { readKnownRepos, readStoredRepos, type StoredRepo } from './repo-heads.ts'
export { cutToBytes, storableJson, storableText } from './storable-text.ts'
export { epochOfDatabase, readStreamEpoch, StreamEpoch, type StreamEpochOptions } from './stream-epoch.ts'
export type { Tables } from './tables.ts'
export { TextArray } from './text-array.ts'
export {
  quoteName,
  toColumns,
  unnestInsert,
  unnestSource,
  type Statement,
  type UnnestInsertOptions,
  type UnnestRow,
  type UnnestType,
  type UnnestValue,
} from './unnest-insert.ts'
export { readUpstreams, registerUpstreams, type Upstream } from './upstreams.ts'
export { rewindLabels, type RewindLabelsOptions } from './rewind-labels.ts'
