import type { GeneratedAlways } from 'kysely'
import type { Json, Timestamp, TimestampOrNull, TimestampWithDefault, WithDefault } from './column-types.ts'

/** Migrations of ours that the database has. */
export interface MigrationTable {
  name: string
  at: TimestampWithDefault
}

export interface RepoTable {
  did: string
  /** Newest commit whose operations are all applied. */
  head_rev: string | null
  head_commit: string | null
  /** Root of its tree. */
  head_data: string | null
  /** Revision of the newest snapshot that was completed: what is older is already reflected. */
  floor_rev: string | null
  /** First commit after others that may be missing, and what it says it follows. */
  broken_rev: string | null
  broken_since: string | null
  broken_prev_data: string | null
  /** When a fetch that was asked for was last completed, and how many such came in close succession. */
  resynced_at: TimestampOrNull
  resync_streak: WithDefault<number>
  updated_at: TimestampWithDefault
}

export interface TombstoneTable {
  uri: string
  did: string
  rev: string
  deleted_at: TimestampWithDefault
  /** Its newest version is no record of its collection. */
  invalid: WithDefault<boolean>
}

/** What processes tell each other of how they were configured. */
export interface SettingTable {
  name: string
  value: Json<unknown>
  updated_at: TimestampWithDefault
}

/** What people changed by hand. */
export interface AuditTable {
  id: GeneratedAlways<number>
  at: TimestampWithDefault
  who: string
  method: string
  /** What was changed, for people: a stream, an account, a host. */
  target: string
  reason: string | null
  before: Json<unknown>
  after: Json<unknown>
  /** What takes it back, as a command. */
  undo: string | null
}

/** What operators have paused; until null for as long as nobody resumes it. */
export interface PauseTable {
  kind: string
  name: string
  reason: string
  who: string
  since: TimestampWithDefault
  until: TimestampOrNull
}

/** Accounts that are fetched once a collection is no longer paused. */
export interface PausedRepoTable {
  collection: string
  did: string
}

/** Small values that processes share. */
export interface StateTable {
  scope: string
  name: string
  value: Json<unknown>
  version: number
  updated_at: TimestampWithDefault
}

/** Problems that people are told of, or will be if they last. */
export interface AlarmTable {
  code: string
  /** What it is about; empty for the pipeline as a whole. */
  subject: string
  severity: string
  message: string
  meaning: string
  command: string
  since: Timestamp
  seen_at: Timestamp
  opened_at: TimestampOrNull
  ended_at: TimestampOrNull
  /** When each receiver was last told that it is there. */
  told: Json<Record<string, number>>
}

/** Alarms that nobody is told of for a while. */
export interface SilenceTable {
  id: GeneratedAlways<number>
  code: string
  subject: string | null
  reason: string
  who: string
  created_at: TimestampWithDefault
  expires_at: Timestamp
}

/** Names that processes hold. */
export interface LeaseTable {
  scope: string
  name: string
  /** The name that its process was configured with. */
  wanted: string | null
  holder: string
  expires_at: TimestampWithDefault
  taken_at: TimestampWithDefault
}

export interface IdentityTable {
  did: string
  /** Changes whenever the account may have another handle, key or PDS: what was known before is old (hazard D7). */
  requested_at: TimestampWithDefault
  /** When the handle is looked up. */
  next_at: TimestampWithDefault
  /** Look-ups since a handle was verified, or since an event asked for it. */
  attempts: WithDefault<number>
  /** An event asked for it. */
  forced: WithDefault<boolean>
  last_error: string | null
  /** No look-up begins before. */
  quiet_until: TimestampWithDefault
  /** When the newest look-up began. */
  asked_at: TimestampOrNull
  /** When the newest look-up began that has an answer. */
  checked_at: TimestampOrNull
  /** Look-ups in a row that events asked for. */
  burst: WithDefault<number>
}

export interface AccountStatusTable {
  did: string
  /** Without scheme. */
  host: string
  active: boolean
  status: string | null
  /** Numbers of different epochs of one host say nothing about each other. */
  epoch: WithDefault<number>
  seq: number
  /** As the host sent it. */
  time: string
}

/** Accounts that are hidden, or whose PDS is to be asked about them. */
export interface AccountTable {
  did: string
  /** Why readers do not see it; null while they do. */
  hidden: string | null
  /** Nothing more of it is applied. */
  held: WithDefault<boolean>
  /** All that its records contributed is to go, or has gone. */
  deleted: WithDefault<boolean>
  /** What its PDS has answered since a firehose last said something about it. */
  answer: string | null
  answer_status: string | null
  asked_at: TimestampOrNull
  requested_at: TimestampWithDefault
  /** When its PDS is to be asked; null when it is not. */
  next_at: TimestampOrNull
  attempts: WithDefault<number>
  last_error: string | null
}

/** The newest label of each row of `label`, also while it is taken back. */
export interface MillraceLabelTable {
  src: string
  uri: string
  val: string
  /** Empty when the label is about all versions. */
  cid: string
  /** An instant: UTC with nine digits of a second. */
  cts: string
  /** Where its sequence number counts; an epoch of -1 says that there is none. */
  host: string
  epoch: number
  seq: number
  exp: string | null
}

/** How far one sequence of labels has taken a label back. */
export interface MillraceLabelNegationTable {
  src: string
  uri: string
  val: string
  host: string
  epoch: number
  /** The highest number, and the newest time, of all that took it back. */
  seq: number
  cts: string
}

export interface DirtyTable {
  did: string
  reason: string
  host: string | null
  rev: string | null
  since: TimestampWithDefault
  /** Changes with every mark: who refreshed the account removes the row only if this is still what was read. */
  updated_at: TimestampWithDefault
  attempts: WithDefault<number>
  next_at: TimestampWithDefault
  /** 0 for people, 1 for what a firehose has lost, 2 for repairs. */
  priority: WithDefault<number>
  repair: number | null
  reindex: WithDefault<boolean>
  last_error: string | null
}

/** Commits that came before the one that they follow, or of which operations are still to come. */
export interface CommitTable {
  did: string
  rev: string
  commit: string
  data: string
  since: string | null
  prev_data: string | null
  host: string | null
  ops: number
  /** An `int4multirange`. */
  seen: string
  at: TimestampWithDefault
}

/** Fetches of whole repos whose records are being applied. */
export interface RunTable {
  did: string
  run: string
  rev: string
  host: string | null
  /** An `int4multirange`. */
  seen: string
  records: number | null
  commit: string | null
  data: string | null
  mark: string | null
  repair: number | null
  reindex: WithDefault<boolean>
  opened_at: TimestampWithDefault
  updated_at: TimestampWithDefault
}

export interface GapTable {
  id: GeneratedAlways<number>
  host: string
  stream: string
  reason: string
  from_seq: string | null
  to_seq: string | null
  opened_at: TimestampWithDefault
  closed_at: TimestampOrNull
  since: TimestampOrNull
  until: TimestampOrNull
  repair: number | null
}

/** Hosts that the pipeline reads. */
export interface UpstreamTable {
  host: string
  stream: string
  url: string
  /** Sequence number up to which every entry has left its stream. */
  checkpoint: number | null
  checkpoint_at: TimestampOrNull
  first_seen_at: TimestampWithDefault
  seen_at: TimestampWithDefault
}

/** Comparisons of a host's repos with ours. */
export interface RepairTable {
  id: GeneratedAlways<number>
  host: string
  reason: string
  since: TimestampOrNull
  until: TimestampOrNull
  dry_run: WithDefault<boolean>
  reindex: WithDefault<boolean>
  /** `listing`, `fetching`, `verifying`, `done`, `cancelled`. */
  state: WithDefault<string>
  paused: WithDefault<boolean>
  list_cursor: string | null
  listed: WithDefault<number>
  inactive: WithDefault<number>
  current: WithDefault<number>
  moved: WithDefault<number>
  unknown: WithDefault<number>
  failed: WithDefault<number>
  sampled: WithDefault<number>
  diverged: WithDefault<number>
  error: string | null
  leased_until: TimestampWithDefault
  created_at: TimestampWithDefault
  updated_at: TimestampWithDefault
  finished_at: TimestampOrNull
}

export interface RepairCountTable {
  repair: number
  collection: string
  created: WithDefault<number>
  updated: WithDefault<number>
  deleted: WithDefault<number>
  unchanged: WithDefault<number>
}

export interface DeadLetterTable {
  id: GeneratedAlways<number>
  stream: string
  entry_id: string
  reason: string
  error: string
  did: string | null
  uri: string | null
  host: string | null
  payload: string
  /** How often it was given up. */
  attempts: WithDefault<number>
  first_at: TimestampWithDefault
  last_at: TimestampWithDefault
  /** What was decided about it; `purged` once its record is deleted, and its payload gone. */
  state: WithDefault<'kept' | 'retry' | 'replayed' | 'discarded' | 'purged'>
  /** How often it was put back for an indexer. */
  retries: WithDefault<number>
  /** The same for letters whose reason and error are alike. */
  fingerprint: GeneratedAlways<string>
}
