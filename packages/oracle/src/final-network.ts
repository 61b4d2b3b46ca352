import type { Json } from './json.ts'

/** A record as its repo has it at the end. */
export interface FinalRecord {
  uri: string
  cid: string
  record: Json
}

export interface FinalRepo {
  did: string
  /** Of its newest commit. */
  rev: string
  commit: string
  records: readonly FinalRecord[]
}

export interface FinalAccount {
  did: string
  /** Why it is hidden; null when it is not. */
  status: string | null
  /** Nothing of its own is left. */
  deleted?: boolean
  /** Compared only where it is said. */
  handle?: string | null
}

/** A label as it was sent. */
export interface FinalLabel {
  /** Its place among those of its source. */
  seq: number
  src: string
  uri: string
  cid?: string | undefined
  val: string
  neg?: boolean | undefined
  cts: string
  exp?: string | undefined
}

/** Where a network ends: all that its rows may hang on. */
export interface FinalNetwork {
  repos: readonly FinalRepo[]
  /** Every account that was heard of. */
  accounts: readonly FinalAccount[]
  labels: readonly FinalLabel[]
}
