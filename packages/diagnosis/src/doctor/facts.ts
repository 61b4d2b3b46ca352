import type { MigrationStatus, Pause } from '@millrace/database'
import type { OpenGap } from '@millrace/repair'
import type { StoreDescription, StreamStatus } from '@millrace/stream-protocol'
import type { Answer } from '../answer.ts'
import type { GroupProgress } from '../progress-watch.ts'
import type { Probe } from '../upstream/probe.ts'

/** A stream of the pipeline, with the group that has to read it. */
export interface DeclaredStream {
  stream: string
  group: string
  /** What reads it, as it can be paused. */
  role: 'indexer' | 'backfiller'
  highWaterMark: number
}

/** How a group gets on, beside what its stream says of it. */
interface JudgedGroup extends GroupProgress {
  stream: string
  group: string
}

export interface StoreFacts {
  description: StoreDescription
  streams: readonly StreamStatus[]
  judged: readonly JudgedGroup[]
  /** Entries that are pending and no more in their stream, of those that were looked at. */
  ghosts: readonly { stream: string; group: string; entries: number }[]
  epoch: string | null
  /** How far it was told that the database had counted; 0 when it was not. */
  toldTally: number
}

interface Lease {
  scope: string
  name: string
  /** The name that its process was configured with. */
  wanted: string | null
  isLive: boolean
}

interface StoredUpstream {
  host: string
  stream: string
  url: string
  /** Since an ingester last said that it reads it; null for one that keeps no checkpoint. */
  seenSeconds: number | null
}

/** What the tables of our own hold. Absent when the schema is not ours yet. */
export interface BookkeepingFacts {
  epoch: string | null
  /** How far ingesters have counted in it. */
  tally: number
  leases: readonly Lease[]
  upstreams: readonly StoredUpstream[]
  /** Dead letters that nobody has decided about. */
  letters: readonly { reason: string; count: number }[]
  dirty: { count: number; oldestSeconds: number; futureRevs: number; failing: number }
  gaps: readonly OpenGap[]
  /** Gaps for entries that left their stream unread, of the last week, open or closed. */
  lostEntries: number
  repairs: { paused: number; idleSeconds: number; failed: number; diverged: number; newest: number | null }
  runs: { count: number; idleSeconds: number }
  accounts: { overdue: number; lastError: string | null }
  pauses: readonly Pause[]
}

export interface DatabaseFacts {
  version: string
  settings: {
    synchronousCommit: string
    fsync: string
    maxConnections: number
    maxLocks: number
    isReadOnly: boolean
  }
  connections: number
  blocked: readonly { pid: number; application: string; seconds: number; by: readonly number[]; isIdle: boolean }[]
  invalidIndexes: readonly string[]
  migrations: MigrationStatus
  /** Where its files are, when that is on this machine. */
  disk?: { freeBytes: number; totalBytes: number } | undefined
  bookkeeping?: BookkeepingFacts | undefined
  /** The time that the newest row says, by what readers sort on. */
  newestRow: Date | null
}

/** A clock that is not ours, and how far ours is ahead of it. */
export interface ClockFacts {
  of: 'store' | 'database'
  aheadMs: number
}

export interface UpstreamFacts {
  host: string
  stream: string
  cursor: string | null
  probe: Answer<Probe>
}

/** How the admin server, or the command in its place, is open to others. */
export interface ExposureFacts {
  bind: string
  hasPassword: boolean
  allowsPrivateHosts: boolean
  /** Without secrets. */
  storeUrl?: string | undefined
  storeHasPassword?: boolean | undefined
}

/** All that the checks look at, at one moment. */
export interface DoctorFacts {
  now: number
  declared: readonly DeclaredStream[]
  store: Answer<StoreFacts>
  /** Undefined when none is configured. */
  database: Answer<DatabaseFacts> | undefined
  clocks: readonly ClockFacts[]
  upstreams: readonly UpstreamFacts[]
  exposure?: ExposureFacts | undefined
}
