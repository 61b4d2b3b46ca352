import type { AddedRow, AppliedRows } from '../derivation.ts'
import type { Row } from '../plugin.ts'

/** Keeps what a transaction added and removed, for counts, notifications and derivations. */
export class AppliedRowsLog implements AppliedRows {
  readonly #added = new Map<string, AddedRow[]>()
  readonly #removed = new Map<string, Row[]>()
  readonly #touched = new Map<string, string[]>()

  added(table: string): readonly AddedRow[] {
    return this.#added.get(table) ?? []
  }

  removed(table: string): readonly Row[] {
    return this.#removed.get(table) ?? []
  }

  touched(collection: string): readonly string[] {
    return this.#touched.get(collection) ?? []
  }

  add(table: string, rows: readonly AddedRow[]): void {
    append(this.#added, table, rows)
  }

  remove(table: string, rows: readonly Row[]): void {
    append(this.#removed, table, rows)
  }

  touch(collection: string, uri: string): void {
    append(this.#touched, collection, [uri])
  }
}

function append<T>(map: Map<string, T[]>, key: string, values: readonly T[]): void {
  const list = map.get(key)
  if (!list) map.set(key, [...values])
  else for (const value of values) list.push(value)
}
