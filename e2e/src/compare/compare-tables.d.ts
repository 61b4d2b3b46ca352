import type { ComparedTable, Row } from './tables.ts'
export interface Difference {
  table: string
  /** The key columns' values, joined. */
  key: string
  /** `missing`: expected, not there. `extra`: there, not expected. `changed`: other values in `columns`. */
  kind: 'missing' | 'extra' | 'changed'
  columns: {
    name: string
    expected: unknown
    actual: unknown
  }[]
  expected?: Row
  actual?: Row
}
export interface TableComparison {
  table: string
  expected: number
  actual: number
  differences: Difference[]
}
/** Compares the rows of one table. A function of values. */
export declare function compareTable(
  table: string,
  { key, clock, isEmpty }: ComparedTable,
  expected: readonly Row[],
  actual: readonly Row[],
): TableComparison
//# sourceMappingURL=compare-tables.d.ts.map
