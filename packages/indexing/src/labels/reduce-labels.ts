import { storableText } from '@millrace/database'
import type { LabelEvent } from '@millrace/stream-protocol'
import { canonicalTime, parseTime } from '../values.ts'

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

/** A label taken back: it counts for every version of its subject (hazard L1). */
export type Negation = Pick<LabelRow, 'src' | 'uri' | 'val' | 'cts'>

/**
 * The newest that a batch says about each label: later time first, then later sequence number, then later in the
 * stream (hazards L2, L11). A function of values.
 */
export function reduceLabels(events: readonly LabelEvent[]): { rows: LabelRow[]; negations: Negation[] } {
  const ordered = events
    .map(({ label, seq = 0 }, index) => ({ index, seq, row: toRow(label) }))
    .sort((a, b) => (a.row.cts < b.row.cts ? -1 : a.row.cts > b.row.cts ? 1 : a.seq - b.seq || a.index - b.index))
  const rows = new Map<string, LabelRow>()
  const negations = new Map<string, Negation>()
  for (const { row } of ordered) {
    const triple = JSON.stringify([row.src, row.uri, row.val])
    rows.set(JSON.stringify([triple, row.cid]), row)
    if (!row.neg) continue
    negations.set(triple, { src: row.src, uri: row.uri, val: row.val, cts: row.cts })
    for (const [key, older] of rows) {
      if (older.src === row.src && older.uri === row.uri && older.val === row.val)
        rows.set(key, { ...older, neg: true, cts: row.cts })
    }
  }
  return {
    rows: [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
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
