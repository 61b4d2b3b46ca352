import { comparedTables, compareTable, type Difference } from '@millrace/oracle'
import { formatColumns } from '@millrace/testing/results'
import { deviations, RowIndex, type ComparedRows } from './deviations.ts'

export interface TableVerdict {
  table: string
  expected: number
  actual: number
  /** Differences that a deviation covers, by its name. */
  accepted: Map<string, Difference[]>
  /** Differences that nothing explains. */
  unexplained: Difference[]
}

/** Compares all tables, and tells apart what differs on purpose. A function of values. */
export function compareDatabases(rows: ComparedRows): TableVerdict[] {
  const index = new RowIndex(rows)
  return Object.entries(comparedTables).map(([table, spec]) => {
    const { expected, actual, differences } = compareTable(
      table,
      spec,
      rows.expected.get(table) ?? [],
      rows.actual.get(table) ?? [],
    )
    const verdict: TableVerdict = { table, expected, actual, accepted: new Map(), unexplained: [] }
    for (const difference of differences) {
      const deviation = deviations.find(({ covers }) => covers(difference, index))
      if (deviation) verdict.accepted.set(deviation.name, [...(verdict.accepted.get(deviation.name) ?? []), difference])
      else verdict.unexplained.push(difference)
    }
    return verdict
  })
}

/** The table by table comparison, for people. */
export function renderVerdicts(verdicts: readonly TableVerdict[]): string {
  const lines = [['table', 'reference', 'ours', 'unexplained', 'differs on purpose']]
  for (const { table, expected, actual, accepted, unexplained } of verdicts) {
    lines.push([
      table,
      String(expected),
      String(actual),
      unexplained.length === 0 ? '-' : String(unexplained.length),
      [...accepted].map(([name, { length }]) => `${name} ${length}`).join(', '),
    ])
  }
  const samples = verdicts.flatMap(({ unexplained }) =>
    unexplained
      .slice(0, 5)
      .map(
        ({ table, kind, key, columns }) =>
          `  ${table} ${kind} ${key} ${columns.map(({ name, expected, actual }) => `${name}: ${JSON.stringify(expected)} → ${JSON.stringify(actual)}`).join(', ')}`,
      ),
  )
  return [formatColumns(lines, [1, 2, 3]), ...(samples.length > 0 ? ['', 'unexplained:', ...samples] : [])].join('\n')
}
