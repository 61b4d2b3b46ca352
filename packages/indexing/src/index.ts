export { AccountChecker, type AccountCheckerOptions, type AskPds } from './accounts/account-checker.ts'
export type { PdsAnswer } from './accounts/account-state.ts'
export type { SettledAccount } from './accounts/settle-account.ts'
export { countTables, type CountColumn, type CountedRows, type CountTable } from './count-tables.ts'
export { ClockWatch, type ClockWatchOptions } from './clock-watch.ts'
export { CountDeltas } from './counts.ts'
export type { AddedRow, AppliedRows, Derivation, DerivedEffects } from './derivation.ts'
export {
  HandleRefresher,
  type HandleRefresherOptions,
  type LookUpOptions,
  type ResolveHandle,
} from './handle-refresher.ts'
export type { IndexResult, Rejection } from './index-result.ts'
export { IndexingService, type IndexingServiceOptions } from './indexing-service.ts'
export { LabelIndexer, type LabelIndexerOptions } from './label-indexer.ts'
export { notificationRows, type NotificationRow } from './notification-row.ts'
export { definePluginSet, type PluginSet } from './plugin-set.ts'
export {
  defineRecordPlugin,
  type Cell,
  type Count,
  type Notification,
  type Part,
  type RecordContext,
  type RecordPlugin,
  type Row,
} from './plugin.ts'
export type { LexiconDocument, RecordLexicon, RecordOf, UnnamedType } from './record-of.ts'
export type { Outcome } from './record-op.ts'
export { InvalidRecordError, recordType, untypedRecord, type RecordType } from './record-type.ts'
export {
  recount,
  type RecountOptions,
  type RecountPosition,
  type RecountProgress,
  type RecountReport,
} from './recount/recount.ts'
export type { RecountedColumn, WrongCount } from './recount/report.ts'
export type { Session, Statement } from './session.ts'
export { RepoJanitor, type RepoJanitorOptions } from './repo-janitor.ts'
export { StreamIndexer, type StreamIndexerOptions } from './stream-indexer.ts'
export { canonicalTime, compareText, uriAuthority, uriCollection, uriRkey } from './values.ts'
