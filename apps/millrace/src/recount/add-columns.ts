import type { RecountColumn } from '@millrace/admin-api'

/** What two parts of a recount have found together. A function of values. */
export function addColumns(
  before: readonly RecountColumn[],
  more: readonly RecountColumn[],
  mostSamples: number,
): RecountColumn[] {
  const keyOf = ({ table, column }: RecountColumn): string => `${table}.${column}`
  const byKey = new Map(before.map((each) => [keyOf(each), each]))
  for (const each of more) {
    const known = byKey.get(keyOf(each))
    byKey.set(
      keyOf(each),
      known
        ? {
            table: each.table,
            column: each.column,
            checked: known.checked + each.checked,
            wrong: known.wrong + each.wrong,
            tooLow: known.tooLow + each.tooLow,
            tooHigh: known.tooHigh + each.tooHigh,
            negative: known.negative + each.negative,
            samples: [...known.samples, ...each.samples].slice(0, mostSamples),
          }
        : each,
    )
  }
  return [...byKey.values()]
}
