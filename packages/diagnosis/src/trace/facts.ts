import type { KeptLetter } from '@millrace/database'
import type { OpenGap } from '@millrace/repair'
import type { Answer } from '../answer.ts'
import type { Subject } from './subject.ts'

/** What the account's document says. */
export interface IdentityFacts {
  kind: 'found' | 'absent' | 'tombstoned'
  handle?: string | undefined
  pds?: string | undefined
}

/** What a host says of an account: its own PDS, or a relay. */
export interface HostFacts {
  /** Newest revision; absent where the host does not tell. */
  rev?: string | undefined
  /** Whether it knows the account at all. */
  isKnown: boolean
  active: boolean
  status?: string | undefined
}

/** What the PDS has in the place of the record; a null CID is none. */
export interface PdsRecord {
  cid: string | null
}

/** An entry of a stream that is about the subject. */
export interface FoundEntry {
  id: string
  type: string
  rev?: string | undefined
  cid?: string | undefined
}

/** Where a group of the stream has got to with what was found. */
export interface GroupPosition {
  group: string
  /** Given to a consumer, and not acked; else not read yet. */
  pending?: { consumer: string; idleSeconds: number; deliveries: number | null } | undefined
  /** Entries that are not acked in front of the stream's last one: how long the wait may be. */
  waiting: number
  /** No consumer of the group was heard of for a while. */
  isDeserted: boolean
}

export interface StreamFacts {
  stream: string
  length: number
  /** The newest entries about the subject, not more than a few. */
  found: readonly FoundEntry[]
  groups: readonly GroupPosition[]
  /** Not all that waits could be looked at. */
  isPartial: boolean
}

/** What the database holds of the record. */
export interface RecordFacts {
  row?: { cid: string; rev: string | null; indexedAt: string; takedownRef: string | null } | undefined
  /** The table that its collection's rows are in, and whether it has one for it; absent for a collection without. */
  typed?: { table: string; isThere: boolean } | undefined
  tombstone?: { rev: string; deletedAt: Date; invalid: boolean } | undefined
  /** The record that has the place that this one claims as well. */
  duplicateOf?: string | undefined
  labels: readonly { src: string; val: string }[]
}

/** What the database holds of the account. */
export interface AccountFacts {
  actor?: { handle: string | null; upstreamStatus: string | null; takedownRef: string | null } | undefined
  account?: { hidden: string | null; deleted: boolean; lastError: string | null; nextAt: Date | null } | undefined
  repo?: { head: string | null; floor: string | null; broken: string | null } | undefined
  dirty?: { reason: string; since: Date; attempts: number; nextAt: Date; lastError: string | null } | undefined
  run?: { rev: string; openedAt: Date; updatedAt: Date } | undefined
  labels: readonly { src: string; val: string }[]
}

export interface StoredFacts {
  account: AccountFacts
  record?: RecordFacts | undefined
  letters: readonly KeptLetter[]
  gaps: readonly OpenGap[]
  /** Collections that have rows; null for all. */
  collections: readonly string[] | null
}

/** All that is known about a subject, at one moment. */
export interface TraceFacts {
  subject: Subject
  now: number
  identity: Answer<IdentityFacts>
  pds: Answer<HostFacts & { record?: PdsRecord | undefined }>
  relays: readonly { host: string; answer: Answer<HostFacts> }[]
  streams: Answer<readonly StreamFacts[]>
  database: Answer<StoredFacts>
}
