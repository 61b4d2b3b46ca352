export type Row = {
  [column: string]: unknown
}
export interface ComparedTable {
  /** Columns that identify a row. */
  key: readonly string[]
  /** Columns that say when something was done, not what: compared only for being there. */
  clock?: readonly string[]
  /** Rows that say the same as no row. */
  isEmpty?: (row: Row) => boolean
}
/**
 * The tables that a pipeline fills. `indexedAt` is our clock wherever a record came from a whole repo, and `sortAt`
 * where the record claims to be younger than that.
 */
export declare const comparedTables: Readonly<Record<string, ComparedTable>>
//# sourceMappingURL=tables.d.ts.map
