import type { DirtyMark } from '@millrace/stream-protocol'

/** How a frame ended (hazard G1). Each received one is counted once, under one of these. */
export const outcomes = [
  /** Its events are in the stream. A commit that lost single records is still counted here. */
  'appended',
  /** Nothing in it is for us: an unknown kind, an `#info`, a repeated frame, an account that is not taken. */
  'ignored',
  /** It breaks the protocol. Its account is marked. */
  'invalid',
  /** It is right, but does not say enough to follow it. Its account is marked. */
  'discontinuous',
  /** It is no frame: in the dead letters, its host has a gap. */
  'undecodable',
  /** The connection or the append failed; the host sends it again. */
  'abandoned',
] as const

/** How a frame ended. */
export type Outcome = (typeof outcomes)[number]

/** Why something of a frame was left out. A closed set, for metrics. */
export const skipReasons = [
  'bad-account',
  'bad-car',
  'bad-cbor',
  'bad-commit',
  'bad-did',
  'bad-field',
  'bad-frame',
  'bad-label',
  'bad-mst',
  'bad-number',
  'bad-op',
  'bad-seq',
  'bad-signature',
  'bad-utf8',
  'duplicate',
  'error-frame',
  'future-rev',
  'info',
  'missing-blocks',
  'no-key',
  'other-account',
  'queue-full',
  'rebase',
  'spoofed-label',
  'too-big',
  'too-deep',
  'too-large',
  'too-many-ops',
  'unknown-key',
  'unknown-type',
  'unrepresentable-record',
  'unsigned-label',
  'other',
] as const

/** Why something of a frame was left out. */
export type SkipReason = (typeof skipReasons)[number]

const known: ReadonlySet<string> = new Set(skipReasons)

/** Keeps the label set of a metric closed (hazard O1). */
export function skipReason(reason: string): SkipReason {
  return known.has(reason) ? (reason as SkipReason) : 'other'
}

/** One record or label that was left out of a frame that is otherwise used. */
export interface Rejected {
  reason: string
  error: string
  did?: string
  uri?: string
  /** What it was: base64 of a record's block, JSON of a label. */
  payload: string
}

/** Where frames come from: goes into their events. */
export interface Origin {
  /** Without scheme. */
  host: string
  /** How often that host has lost its sequence numbers. @default 0 */
  epoch?: number
}

/** As events have it: what is nothing is left out. */
export function originOf({ host, epoch = 0 }: Origin): { host: string; epoch?: number } {
  return { host, ...(epoch > 0 && { epoch }) }
}

/** What a commit is proven by, beside its frame. */
export interface CommitProof {
  rev: string
  /** What was signed. */
  bytes: Uint8Array
  sig: Uint8Array
}

/** What a frame comes to. */
export interface Conversion<E> {
  events: E[]
  outcome: 'appended' | 'ignored' | 'invalid' | 'discontinuous'
  /** Why the outcome is not `appended`. */
  reason?: string
  /** For the log: what exactly was wrong. */
  error?: string
  /** The frame's own time, as received. */
  time?: string
  /** The account that it is about, where it could be read. */
  did?: string
  /** What is left to be checked before the events may be used. */
  proof?: CommitProof
  rejected: Rejected[]
  dirty: DirtyMark[]
  /** Set when it was not used and its account cannot be read, so that only the host can be marked (hazard G4). */
  gap?: true
}

export const ignored = (reason: string): Conversion<never> => ({
  events: [],
  outcome: 'ignored',
  reason,
  rejected: [],
  dirty: [],
})
