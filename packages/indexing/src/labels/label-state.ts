import { isGuarded } from '@millrace/failpoints'
import { compareText } from '../values.ts'

/** What a label is: who says what about whom. The version it is about is an attribute (hazard L1). */
export interface LabelKey {
  src: string
  uri: string
  val: string
}

/**
 * Where in a labeler's sequence something was said. Numbers can be compared within one epoch of one host: a host that
 * lost its numbers counts anew.
 */
export interface Place {
  host: string
  epoch: number
  seq: number
}

/** Of an entry that says no sequence number: services other than ours write none. */
export const unknownPlace: Place = { host: '', epoch: -1, seq: 0 }

/** A label that was made, for one version of its subject. */
export interface Positive extends LabelKey, Place {
  /** Empty when it is about every version. */
  cid: string
  /** As `instant` writes it. */
  cts: string
  /** When it ends, in the one form of times. */
  exp: string | null
}

/** That a label was taken back, by one sequence: the newest time and the highest number of all that did (hazard L3). */
export interface Negation extends LabelKey, Place {
  cts: string
}

/** Of the labels of one row, the newer: by time, then by number (hazard L2). What is left makes the order a total one. */
export function compareMade(a: Positive, b: Positive): number {
  return (
    compareText(a.cts, b.cts) ||
    a.epoch - b.epoch ||
    compareText(a.host, b.host) ||
    a.seq - b.seq ||
    compareText(a.exp ?? '', b.exp ?? '')
  )
}

/** Two negations of one sequence as one. Nothing is lost: only the newest time and the highest number decide. */
export function joinNegations(a: Negation, b: Negation): Negation {
  return { ...a, cts: a.cts > b.cts ? a.cts : b.cts, seq: Math.max(a.seq, b.seq) }
}

/**
 * Whether a label is taken back: by a later time or by a higher number, so that one dated in the future can be taken
 * back as well (hazard L3). At one time what comes later in the sequence counts; where no sequence says, the negation.
 */
export function isTakenBack(made: Positive, negations: Iterable<Negation>): boolean {
  for (const negation of negations) {
    if (negation.cts > made.cts) return true
    const sameHost = negation.epoch >= 0 && made.epoch >= 0 && negation.host === made.host
    const counts =
      sameHost && negation.epoch === made.epoch
        ? negation.seq > made.seq && isGuarded('label-order')
        : negation.cts === made.cts && !(sameHost && negation.epoch < made.epoch)
    if (counts) return true
  }
  return false
}
