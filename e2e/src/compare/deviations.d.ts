import type { Difference } from './compare-tables.ts'
import type { Row } from './tables.ts'
/** Both databases, for rules that look further than one row. */
export interface ComparedRows {
  expected: ReadonlyMap<string, readonly Row[]>
  actual: ReadonlyMap<string, readonly Row[]>
}
export interface Deviation {
  /** As in `docs/deviations.md`. */
  name: string
  reason: string
  covers: (difference: Difference, rows: RowIndex) => boolean
}
/** Rows by their first key, made once. */
export declare class RowIndex {
  #private
  constructor(rows: ComparedRows)
  /** Whether a row of a table has this value in a column. */
  has(side: keyof ComparedRows, table: string, column: string, value: unknown): boolean
  all(side: keyof ComparedRows, table: string): readonly Row[]
  find(side: keyof ComparedRows, table: string, column: string, value: unknown): Row | undefined
  /** A record that the network has at the end. */
  isLive(uri: unknown): boolean
}
/**
 * Where our rows differ from the reference's on purpose. Each covers only rows for which its reason holds: anything
 * else is a failure.
 */
export declare const deviations: readonly Deviation[]
//# sourceMappingURL=deviations.d.ts.map
