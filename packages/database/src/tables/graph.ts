import type { SortKey } from './column-types.ts'

/** The columns of nearly every table that holds one row for a record. */
interface OfRecord {
  uri: string
  cid: string
  creator: string
  createdAt: string
  indexedAt: string
}

interface SortedRecord extends OfRecord {
  sortAt: SortKey
}

export interface LikeTable extends SortedRecord {
  subject: string
  subjectCid: string
  via: string | null
  viaCid: string | null
}

export type RepostTable = LikeTable

export interface FollowTable extends SortedRecord {
  subjectDid: string
}

export type ActorBlockTable = FollowTable

export interface ListTable extends SortedRecord {
  name: string
  purpose: string
  description: string | null
  /** JSON text. */
  descriptionFacets: string | null
  avatarCid: string | null
}

export interface ListItemTable extends SortedRecord {
  subjectDid: string
  listUri: string
}

export interface ListBlockTable extends SortedRecord {
  subjectUri: string
}

export type ReferenceListOptOutTable = ListBlockTable

export interface VerificationTable extends OfRecord {
  rkey: string
  subject: string
  handle: string
  displayName: string
  /** Named unlike its fellows. */
  sortedAt: SortKey
}

export interface FeedGeneratorTable extends SortedRecord {
  feedDid: string
  displayName: string | null
  description: string | null
  /** JSON text. */
  descriptionFacets: string | null
  avatarCid: string | null
}

export interface StarterPackTable extends SortedRecord {
  name: string | null
}

export type LabelerTable = SortedRecord
