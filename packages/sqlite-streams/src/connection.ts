import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { Backoff, sleep, type Logger } from '@millrace/stream-protocol'

export type Row = Record<string, SQLOutputValue>

/**
 * What a statement is given: a value for each `?`, or by name for those that stand in it more than once. No `?1`: Node
 * before 22.19 does not bind it.
 */
export type Values = readonly SQLInputValue[] | readonly [Readonly<Record<string, SQLInputValue>>]

/** The file is locked by another process, or the disk is full: waiting may help. */
export function isTransient(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
  return code === SQLITE_BUSY || code === SQLITE_FULL
}
const SQLITE_BUSY = 5
const SQLITE_FULL = 13

/** How long a statement waits for another process by itself. Nothing else runs in this process meanwhile. */
const BUSY_MS = 20

export interface TransactOptions {
  logger: Logger
  signal?: AbortSignal | undefined
  onRetry?: () => void
}

/** One connection to the file, with its statements. Every method is synchronous, and so has to be short. */
export class Connection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, { synchronous }: { synchronous: 'full' | 'normal' }) {
    this.#db = new DatabaseSync(file, { timeout: BUSY_MS })
    this.#db.exec(`pragma synchronous = ${synchronous}`)
  }

  get db(): DatabaseSync {
    return this.#db
  }

  get(sql: string, ...values: Values): Row | undefined {
    return this.#prepared(sql).get(...(values as SQLInputValue[]))
  }

  all(sql: string, ...values: Values): Row[] {
    return this.#prepared(sql).all(...(values as SQLInputValue[]))
  }

  /** @returns how many rows it changed. */
  run(sql: string, ...values: Values): number {
    return Number(this.#prepared(sql).run(...(values as SQLInputValue[])).changes)
  }

  /**
   * Runs `work` as one transaction that writes. While another process writes, it is tried again, without blocking this
   * one, until the signal is aborted: that rejects with the signal's reason, and nothing was written.
   */
  async transact<T>(work: () => T, { logger, signal, onRetry }: TransactOptions): Promise<T> {
    const backoff = new Backoff({ minMs: 5, maxMs: 1_000 })
    while (true) {
      try {
        return this.transactNow(work)
      } catch (error) {
        if (!isTransient(error)) throw error
        signal?.throwIfAborted()
        // The first few are the ordinary turns of two processes.
        if (backoff.attempt >= 8) logger.warn({ err: error }, 'cannot write to the stream file now: trying again')
        onRetry?.()
        await sleep(backoff.nextMs(), signal)
        signal?.throwIfAborted()
      }
    }
  }

  /** Runs `work` as one transaction, or throws. */
  transactNow<T>(work: () => T): T {
    // Immediate: a transaction that begins by reading could not wait for its turn to write.
    this.#db.exec('begin immediate')
    try {
      const result = work()
      this.#db.exec('commit')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw error
    }
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    // Where it is written, and not on the Node of somebody else.
    if (/\?\d/.test(sql)) throw new Error(`Node before 22.19 does not bind numbered values: ${sql}`)
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
