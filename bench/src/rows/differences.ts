import { exactly, figure, type Result } from '@millrace/testing/results'
import type { RowDifference } from './compare-rows.ts'
import { knownDifferences } from './known-differences.ts'
import type { WorkloadFacts } from './workload-facts.ts'

/** Rows that differ, told from those that are meant to. */
export class Differences {
  readonly #tables = new Map<string, { rows: number; unexplained: RowDifference[] }>()
  readonly #facts: WorkloadFacts
  readonly #known = new Map<string, number>(knownDifferences.map(({ name }) => [name, 0]))

  constructor(facts: WorkloadFacts) {
    this.#facts = facts
  }

  add(table: string, { rows, differences }: { rows: number; differences: RowDifference[] }): void {
    const entry = this.#tables.get(table) ?? { rows: 0, unexplained: [] }
    this.#tables.set(table, entry)
    entry.rows += rows
    for (const difference of differences) {
      const known = knownDifferences.find(({ explains }) => explains(difference, this.#facts))
      if (known) this.#known.set(known.name, (this.#known.get(known.name) ?? 0) + 1)
      else entry.unexplained.push(difference)
    }
  }

  results(prefix: string): Result[] {
    const rows = [...this.#tables.values()].reduce((sum, { rows }) => sum + rows, 0)
    return [
      figure(`${prefix}: rows compared`, rows, 'rows'),
      ...[...this.#tables].map(([table, { unexplained }]) =>
        exactly(0, `${prefix}: rows that differ in ${table}`, unexplained.length, 'rows'),
      ),
      ...[...this.#known].map(([name, count]) => figure(`${prefix}: known difference, ${name}`, count, 'rows')),
    ]
  }

  report(onProgress: (text: string) => void): void {
    for (const { name, reason } of knownDifferences)
      if (this.#known.get(name)) onProgress(`known difference, ${name}: ${reason}`)
    for (const [table, { unexplained }] of this.#tables)
      for (const difference of unexplained.slice(0, 5)) onProgress(`${table} ${describe(difference)}`)
  }
}

function describe({ key, ours, reference, columns }: RowDifference): string {
  if (!ours) return `${key}: only the reference has ${JSON.stringify(reference)}`
  if (!reference) return `${key}: only ours has ${JSON.stringify(ours)}`
  const values = columns.map((name) => `${name} ${JSON.stringify(ours[name])}, not ${JSON.stringify(reference[name])}`)
  return `${key}: ${values.join('; ')}`
}
