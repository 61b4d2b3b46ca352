import type { LabelEvent } from '@millrace/stream-protocol'
import { compareText } from '../values.ts'
import type { Negation, Positive } from './label-state.ts'
import { planLabels, type LabelChanges, type LabelRow } from './plan-labels.ts'
import { reduceLabels } from './reduce-labels.ts'

/** The three tables of labels as maps: all that `applyLabels` does, without the database. */
export class LabelStore {
  readonly #made = new Map<string, Positive>()
  readonly #negations = new Map<string, Negation>()
  readonly #rows = new Map<string, LabelRow>()

  constructor(rows: readonly LabelRow[] = []) {
    for (const row of rows) this.#rows.set(keyOf(row, row.cid), row)
  }

  apply(events: readonly LabelEvent[]): LabelChanges {
    const changes = planLabels(reduceLabels(events), {
      made: [...this.#made.values()],
      negations: [...this.#negations.values()],
      rows: [...this.#rows.values()],
    })
    for (const made of changes.made) this.#made.set(keyOf(made, made.cid), made)
    for (const negation of changes.negations)
      this.#negations.set(keyOf(negation, negation.host, negation.epoch), negation)
    for (const row of changes.rows) this.#rows.set(keyOf(row, row.cid), row)
    return changes
  }

  /** What readers see, in one order. */
  get rows(): LabelRow[] {
    return [...this.#rows].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row)
  }
}

function keyOf({ src, uri, val }: Pick<LabelRow, 'src' | 'uri' | 'val'>, ...rest: (string | number)[]): string {
  return JSON.stringify([src, uri, val, ...rest])
}
