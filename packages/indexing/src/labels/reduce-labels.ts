import { storableText } from '@millrace/database'
import type { LabelEvent } from '@millrace/stream-protocol'
import { canonicalTime, compareText, parseTime } from '../values.ts'

/** A row of `label`. */
export interface LabelRow {
  src: string
  uri: string
  /** Empty when the label is about every version. */
  cid: string
  val: string
  neg: boolean
  cts: string
  exp: string | null
}

/** What a batch says about a label whatever version it is about: the newest time it was taken back, or null. */
export type Negation = Pick<LabelRow, 'src' | 'uri' | 'val'> & { cts: string | null }

/**
 * The newest that a batch says about each label: later time first; of one time what takes it back, then the later
 * sequence number, then what is later in the stream (hazards L2, L11). A function of values.
 */
export function reduceLabels(events: readonly LabelEvent[]): { rows: LabelRow[]; negations: Negation[] } {
  const ordered = events
    .map(({ label, seq = 0 }, index) => ({ index, seq, row: toRow(label) }))
    .sort(
      (a, b) =>
        compareText(a.row.cts, b.row.cts) ||
        Number(a.row.neg) - Number(b.row.neg) ||
        a.seq - b.seq ||
        a.index - b.index,
    )
  const rows = new Map<string, LabelRow>()
  const negations = new Map<string, Negation>()
  for (const { row } of ordered) {
    const { src, uri, val, cid } = row
    rows.set(JSON.stringify([src, uri, val, cid]), row)
    const label = JSON.stringify([src, uri, val])
    if (row.neg || !negations.has(label)) negations.set(label, { src, uri, val, cts: row.neg ? row.cts : null })
  }
  return {
    // In the order of their keys: every transaction locks the same way round.
    rows: [...rows].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row),
    negations: [...negations.values()],
  }
}

function toRow(label: LabelEvent['label']): LabelRow {
  // A time that cannot be read would fail every query of its subject: no end is better than that.
  const exp = parseTime(label.exp) ?? null
  return {
    src: label.src,
    uri: storableText(label.uri),
    cid: storableText(label.cid ?? ''),
    val: storableText(label.val),
    neg: label.neg ?? false,
    cts: canonicalTime(label.cts),
    exp,
  }
}
