import {
  silentLogger,
  sleep,
  type Batch,
  type BatchSource,
  type Codec,
  type DeadLetter,
  type Ledger,
  type Logger,
} from '@millrace/stream-protocol'
import { makeBatch, type StoredEntry } from '@millrace/stream-protocol/store-kit'
import { MAX_ERROR_BYTES } from './ledger.ts'
import type { Database } from './open-database.ts'
import { cutToBytes, storableText } from './storable-text.ts'

export interface DeadLetterQueueOptions<T> {
  database: Database
  /** Where its letters were given up. */
  stream: string
  codec: Codec<T>
  /** Keeps what else an indexer has to note about a letter. */
  ledger: Ledger
  /** Letters in a batch. @default 50 */
  batchSize?: number
  /** Pause when nothing is to be retried, in milliseconds. @default 2_000 */
  idleMs?: number
  logger?: Logger
}

/**
 * The dead letters of one stream that an operator has put back, for a loop like that of the stream itself: so a replay
 * takes the normal path, with its transactions, its locks and its rule of what is newer.
 *
 * What was applied is `replayed`. What fails again goes back to what it was, with one attempt more: give the loop this
 * queue's `ledger`, so that it does not become a letter of its own, and is not tried again by itself (hazard G10).
 *
 * Any number of processes may read it. A letter that two of them apply, or one of them twice after a crash, is like an
 * entry that comes twice. Where it was edited or purged meanwhile, the outcome of what it was is not noted.
 */
export class DeadLetterQueue<T> implements BatchSource<T> {
  readonly stream: string
  readonly group = 'millrace_dead_letter'
  /** For the loop that reads this queue. */
  readonly ledger: Ledger
  readonly #database: Database
  readonly #lettersOf: string
  readonly #codec: Codec<T>
  readonly #batchSize: number
  readonly #idleMs: number
  readonly #logger: Logger
  readonly #held = new Set<string>()

  constructor({
    database,
    stream,
    codec,
    ledger,
    batchSize = 50,
    idleMs = 2_000,
    logger = silentLogger,
  }: DeadLetterQueueOptions<T>) {
    this.stream = `${stream} dead letters`
    this.ledger = {
      deadLetter: (letters) => this.#putBack(letters),
      markDirty: (marks) => ledger.markDirty(marks),
      // A gap was opened when the entry was given up first; whoever has closed it since knew why.
      recordGap: async () => undefined,
    }
    this.#database = database
    this.#lettersOf = stream
    this.#codec = codec
    this.#batchSize = batchSize
    this.#idleMs = idleMs
    this.#logger = logger.child({ component: 'dead-letter-queue', stream })
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch<T>> {
    this.#held.clear()
    while (!signal.aborted) {
      const stored = await this.#read()
      if (stored.length > 0)
        yield makeBatch({
          stream: this.stream,
          codec: this.#codec,
          stored,
          held: this.#held,
          ack: (ids) => this.#ack(ids),
        })
      else await sleep(this.#idleMs, signal)
    }
  }

  async #read(): Promise<StoredEntry[]> {
    try {
      const { rows } = await this.#database.pool.query<StoredEntry>({
        name: 'millrace_read_retries',
        text: `
          select id || '.' || retries as id, payload as text from millrace_dead_letter
          where stream = $1 and state = 'retry' and id || '.' || retries <> all ($3::text[])
          order by id limit $2`,
        values: [this.#lettersOf, this.#batchSize, [...this.#held]],
      })
      return rows
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read which dead letters to retry')
      return []
    }
  }

  /** What has failed again is `kept` by now, and stays so. */
  async #ack(ids: readonly string[]): Promise<void> {
    const { rowCount } = await this.#database.pool.query({
      text: `
        update millrace_dead_letter as l set state = 'replayed', last_at = now()
        from unnest($1::bigint[], $2::integer[]) as k(id, retries)
        where l.id = k.id and l.retries = k.retries and l.state = 'retry'`,
      values: columnsOf(ids),
    })
    this.#logger.info({ taken: ids.length, replayed: rowCount }, 'retried dead letters')
  }

  async #putBack(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return
    await this.#database.pool.query({
      text: `
        update millrace_dead_letter as l set
          state = 'kept', reason = k.reason, error = k.error, attempts = l.attempts + 1, last_at = now()
        from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[]) as k(id, retries, reason, error)
        where l.id = k.id and l.retries = k.retries and l.state = 'retry'`,
      values: [
        ...columnsOf(letters.map(({ entryId }) => entryId)),
        letters.map(({ reason }) => reason),
        letters.map(({ error }) => cutToBytes(storableText(error), MAX_ERROR_BYTES)),
      ],
    })
    for (const { entryId, reason, did, uri } of letters)
      this.#logger.warn({ letter: entryId, reason, did, uri }, 'a dead letter failed again')
  }
}

function columnsOf(ids: readonly string[]): [ids: string[], retries: string[]] {
  const parts = ids.map((id) => id.split('.'))
  return [parts.map(([id]) => id!), parts.map(([, retries]) => retries!)]
}
