import type { TableVerdict } from '../compare/compare-databases.ts'
import { keyOf, type Difference } from '@millrace/oracle'
import type { RowIndex } from '../compare/deviations.ts'

/** A row that differs on purpose, with the name of the deviation that covers it. */
export interface AcceptedRow {
  deviation: string
  difference: Difference
}

/** The rows that differ on purpose, and all others beside them. */
export class AcceptedRows {
  readonly index: RowIndex
  readonly #rows = new Map<string, AcceptedRow>()

  constructor(verdicts: readonly TableVerdict[], index: RowIndex) {
    this.index = index
    for (const { accepted } of verdicts)
      for (const [deviation, differences] of accepted)
        for (const difference of differences)
          this.#rows.set(`${difference.table} ${difference.key}`, { deviation, difference })
  }

  find(table: string, ...key: unknown[]): AcceptedRow | undefined {
    return this.#rows.get(`${table} ${keyOf(key)}`)
  }

  all(table: string): AcceptedRow[] {
    return [...this.#rows.values()].filter(({ difference }) => difference.table === table)
  }
}
