import type { CursorStore } from '@millrace/stream-protocol'
import type { Connection } from './connection.ts'
import type { StreamFile } from './stream-file.ts'

export function readCursor(connection: Connection, key: string): string | null {
  const row = connection.get('select value from cursor where key = ?', key)
  return row ? String(row['value']) : null
}

/** Inside a transaction that writes. */
export function writeCursor(connection: Connection, key: string, value: string): void {
  connection.run(
    'insert into cursor (key, value) values (?, ?) on conflict (key) do update set value = excluded.value',
    key,
    value,
  )
}

export class SqliteCursorStore implements CursorStore {
  readonly #file: StreamFile

  constructor(file: StreamFile) {
    this.#file = file
  }

  async get(key: string): Promise<string | null> {
    return readCursor(this.#file.appends, key)
  }

  async set(key: string, value: string): Promise<void> {
    const { appends, logger } = this.#file
    await appends.transact(() => writeCursor(appends, key, value), { logger })
  }

  async delete(key: string): Promise<void> {
    const { appends, logger } = this.#file
    await appends.transact(() => appends.run('delete from cursor where key = ?', key), { logger })
  }
}
