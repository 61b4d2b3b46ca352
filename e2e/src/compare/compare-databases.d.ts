import { type Difference } from './compare-tables.ts'
import { type ComparedRows } from './deviations.ts'
export interface TableVerdict {
  table: string
  expected: number
  actual: number
  /** Differences that a deviation covers, by its name. */
  accepted: Map<string, number>
  /** Differences that nothing explains. */
  unexplained: Difference[]
}
/** Compares all tables, and tells apart what differs on purpose. A function of values. */
export declare function compareDatabases(rows: ComparedRows): TableVerdict[]
/** The table by table comparison, for people. */
export declare function renderVerdicts(verdicts: readonly TableVerdict[]): string
//# sourceMappingURL=compare-databases.d.ts.map
