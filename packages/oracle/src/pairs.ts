import type { Row } from './tables.ts'
import type { TypedRecord } from './typed-rows.ts'

/** Of several records that claim one pair the smallest URI has the row; the others are its duplicates (hazard X7). */
export function settlePairs(typed: readonly TypedRecord[]): { winners: TypedRecord[]; duplicates: Row[] } {
  const smallest = new Map<string, string>()
  for (const { pair, record } of typed) {
    const before = pair === undefined ? undefined : smallest.get(pair)
    if (pair !== undefined && (before === undefined || record.uri < before)) smallest.set(pair, record.uri)
  }
  const winners: TypedRecord[] = []
  const duplicates: Row[] = []
  for (const each of typed) {
    const { uri, cid, indexedAt } = each.record
    const winner = each.pair === undefined ? uri : smallest.get(each.pair)
    if (winner === uri) winners.push(each)
    else duplicates.push({ uri, cid, duplicateOf: winner, indexedAt })
  }
  return { winners, duplicates }
}
