import { isGuarded } from '@millrace/failpoints'
import { compareText } from './values.ts'
import type { Count, Row } from './plugin.ts'

interface CountTable {
  key: string
  columns: Set<string>
  byKey: Map<string, Map<string, number>>
}

/** Changes of counts, folded: one number for each subject and column, whatever the batch did to it (hazard A1). */
export class CountDeltas {
  readonly #tables = new Map<string, CountTable>()

  /** Counts rows in (`sign` 1) or out (-1). */
  addRows(counts: readonly Count[], rows: readonly Row[], sign: 1 | -1): void {
    for (const count of counts) {
      for (const row of rows) {
        const subject = row[count.of]
        if (typeof subject !== 'string') continue
        if (count.unless === undefined || row[count.unless] !== true || !isGuarded('count-unless'))
          this.add(count, subject, sign)
      }
    }
  }

  /** Adds to a count of a subject; the sum of all that was added is written once. */
  add({ table, key, column }: Pick<Count, 'table' | 'key' | 'column'>, subject: string, delta: number): void {
    let entry = this.#tables.get(table)
    if (!entry) this.#tables.set(table, (entry = { key, columns: new Set(), byKey: new Map() }))
    entry.columns.add(column)
    let columns = entry.byKey.get(subject)
    if (!columns) entry.byKey.set(subject, (columns = new Map()))
    columns.set(column, (columns.get(column) ?? 0) + delta)
  }

  /** Subjects that something is taken from. */
  fallen(): { table: string; key: string; columns: string[]; subjects: string[] }[] {
    return [...this.#tables].flatMap(([table, { key, columns, byKey }]) => {
      const subjects = [...byKey].filter(([, deltas]) => deltas.values().some((delta) => delta < 0))
      if (subjects.length === 0) return []
      return [{ table, key, columns: [...columns].sort(compareText), subjects: subjects.map(([subject]) => subject) }]
    })
  }

  /**
   * What has to be added, table by table and key by key in byte order: every transaction locks the same way round
   * (hazard X3). Subjects whose changes cancel out are left away.
   */
  folded(): { table: string; key: string; columns: string[]; rows: { subject: string; deltas: number[] }[] }[] {
    return [...this.#tables]
      .sort(([a], [b]) => compareText(a, b))
      .map(([table, { key, columns, byKey }]) => {
        const names = [...columns].sort(compareText)
        const rows = [...byKey]
          .map(([subject, deltas]) => ({ subject, deltas: names.map((name) => deltas.get(name) ?? 0) }))
          .filter(({ deltas }) => deltas.some((delta) => delta !== 0))
          .sort((a, b) => compareText(a.subject, b.subject))
        return { table, key, columns: names, rows }
      })
      .filter(({ rows }) => rows.length > 0)
  }
}
