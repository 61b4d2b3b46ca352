import { sql, type ExpressionBuilder, type SqlBool, type Expression } from 'kysely'
import { MAX_PAYLOAD_BYTES } from './ledger.ts'
import type { Database } from './open-database.ts'
import type { Tables } from './tables.ts'

/**
 * `kept` until somebody decides; `retry` once it was put back; then `replayed`, when it was indexed; `discarded`;
 * `purged` when its record was deleted, and its content with it.
 */
export type DeadLetterState = 'kept' | 'retry' | 'replayed' | 'discarded' | 'purged'

/** Which letters; all of these have to hold. */
export interface DeadLetterFilter {
  ids?: readonly number[] | undefined
  states?: readonly DeadLetterState[] | undefined
  stream?: string | undefined
  reason?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** Only letters with a smaller number: those after a page of a list. */
  before?: number | undefined
}

/** Letters of one stream that failed alike: with the same reason, and the same error but for names and numbers. */
export interface DeadLetterGroup {
  stream: string
  reason: string
  fingerprint: string
  count: number
  firstAt: Date
  lastAt: Date
  /** The newest of them. */
  example: { id: number; error: string; did: string | null; uri: string | null }
}

/** A dead letter without what it says. */
export interface KeptLetter {
  id: number
  stream: string
  entryId: string
  reason: string
  fingerprint: string
  error: string
  did: string | null
  uri: string | null
  host: string | null
  state: DeadLetterState
  attempts: number
  retries: number
  firstAt: Date
  lastAt: Date
}

/** A dead letter with what it says, at most 65,536 bytes of it. */
export interface WholeLetter extends KeptLetter {
  payload: string
  /** It was longer than what is kept of it. */
  isCut: boolean
}

/** What becomes of letters that are to be retried. */
export interface RetryReport {
  retried: number
  /** Those that would fail at once, with the reason. */
  refused: { id: number; why: string }[]
}

export interface RetryOptions {
  filter: DeadLetterFilter
  /** Why a letter cannot be replayed as it is, if it cannot. */
  refuses: (letter: { stream: string; payload: string; isCut: boolean }) => string | undefined
  dryRun?: boolean
}

/** What is known of an edited letter's event, so that it is purged when its record is deleted. */
export interface LetterSubject {
  did?: string | undefined
  uri?: string | undefined
}

/** Letters to a transaction. */
const CHUNK = 200

/** Dead letters, for those who decide what becomes of them. */
export class DeadLetters {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Like letters together, the most frequent first. */
  async groups(filter: DeadLetterFilter): Promise<DeadLetterGroup[]> {
    const { db } = this.#database
    const rows = await db
      .with('kind', (qb) =>
        qb
          .selectFrom('millrace_dead_letter')
          .select(({ fn }) => [
            'stream',
            'reason',
            'fingerprint',
            fn.countAll<number>().as('count'),
            fn.min('first_at').as('first_at'),
            fn.max('last_at').as('last_at'),
            fn.max('id').as('example'),
          ])
          .where((eb) => matches(eb, filter))
          .groupBy(['stream', 'reason', 'fingerprint']),
      )
      .selectFrom('kind')
      .innerJoin('millrace_dead_letter as l', 'l.id', 'kind.example')
      .select([
        'kind.stream',
        'kind.reason',
        'kind.fingerprint',
        'kind.count',
        'kind.first_at',
        'kind.last_at',
        'l.id',
        'l.error',
        'l.did',
        'l.uri',
      ])
      .orderBy('kind.count', 'desc')
      .orderBy('l.id')
      .execute()
    return rows.map(({ stream, reason, fingerprint, count, first_at, last_at, id, error, did, uri }) => ({
      stream,
      reason,
      fingerprint,
      count,
      firstAt: first_at,
      lastAt: last_at,
      example: { id, error, did, uri },
    }))
  }

  /** The newest first, without their payloads. */
  async list(filter: DeadLetterFilter, limit: number): Promise<KeptLetter[]> {
    const rows = await this.#database.db
      .selectFrom('millrace_dead_letter')
      .select(columns)
      .where((eb) => matches(eb, filter))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(keptLetter)
  }

  /** The same, with their payloads. */
  async listWhole(filter: DeadLetterFilter, limit: number): Promise<WholeLetter[]> {
    const rows = await this.#database.db
      .selectFrom('millrace_dead_letter')
      .select([...columns, 'payload', isCut.as('isCut')])
      .where((eb) => matches(eb, filter))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...keptLetter(row), payload: row.payload, isCut: row.isCut }))
  }

  /** @returns a letter with what it says, or undefined when there is none of this number. */
  async find(id: number): Promise<WholeLetter | undefined> {
    const row = await this.#database.db
      .selectFrom('millrace_dead_letter')
      .select([...columns, 'payload', isCut.as('isCut')])
      .where('id', '=', id)
      .executeTakeFirst()
    return row && { ...keptLetter(row), payload: row.payload, isCut: row.isCut }
  }

  /** @returns how many letters a filter takes. */
  async count(filter: DeadLetterFilter): Promise<number> {
    const { count } = await this.#database.db
      .selectFrom('millrace_dead_letter')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where((eb) => matches(eb, filter))
      .executeTakeFirstOrThrow()
    return count
  }

  /** Has an indexer take them once more. Those that it would refuse at once stay as they are. */
  async retry({ filter, refuses, dryRun = false }: RetryOptions): Promise<RetryReport> {
    const report: RetryReport = { retried: 0, refused: [] }
    for (let after = 0; ;) {
      const letters = await this.#database.db
        .selectFrom('millrace_dead_letter')
        .select(['id', 'stream', 'payload', 'state', isCut.as('isCut')])
        .where((eb) => matches(eb, filter))
        .where('id', '>', after)
        .where('state', 'not in', ['retry'])
        .orderBy('id')
        .limit(CHUNK)
        .execute()
      if (letters.length === 0) return report
      after = letters.at(-1)!.id
      const ids: number[] = []
      for (const letter of letters) {
        const why = letter.state === 'purged' ? 'its record is deleted' : refuses(letter)
        if (why === undefined) ids.push(letter.id)
        else report.refused.push({ id: letter.id, why })
      }
      report.retried += dryRun ? ids.length : await this.#putBack(ids)
    }
  }

  async #putBack(ids: readonly number[]): Promise<number> {
    if (ids.length === 0) return 0
    const { numUpdatedRows } = await this.#database.db
      .updateTable('millrace_dead_letter')
      .set(({ eb }) => ({ state: 'retry', retries: eb('retries', '+', 1) }))
      .where('id', 'in', ids)
      .where('state', 'not in', ['retry', 'purged'])
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  /**
   * Puts another payload in place of a letter's, and has an indexer take it.
   * @returns false for a letter that does not exist, or whose record is deleted.
   */
  async edit(id: number, payload: string, { did, uri }: LetterSubject): Promise<boolean> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('millrace_dead_letter')
      .set(({ eb }) => ({
        payload,
        state: 'retry',
        retries: eb('retries', '+', 1),
        ...(did !== undefined && { did }),
        ...(uri !== undefined && { uri }),
      }))
      .where('id', '=', id)
      .where('state', '<>', 'purged')
      .executeTakeFirst()
    return numUpdatedRows > 0
  }

  /** Settles them without another try. They stay, for the record. */
  async discard(filter: DeadLetterFilter): Promise<number> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('millrace_dead_letter')
      .set({ state: 'discarded' })
      .where((eb) => matches(eb, filter))
      .where('state', 'in', DISCARDABLE)
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }
}

/** What can still be discarded. */
export const DISCARDABLE: readonly DeadLetterState[] = ['kept', 'retry']

const columns = [
  'id',
  'stream',
  'entry_id',
  'reason',
  'fingerprint',
  'error',
  'did',
  'uri',
  'host',
  'state',
  'attempts',
  'retries',
  'first_at',
  'last_at',
] as const

/** Cutting takes no part of a character, so that what was cut may be up to three bytes shorter than it might be. */
const isCut = sql<boolean>`octet_length(payload) between ${MAX_PAYLOAD_BYTES - 3} and ${MAX_PAYLOAD_BYTES}`

function matches(
  eb: ExpressionBuilder<Tables, 'millrace_dead_letter'>,
  { ids, states, stream, reason, fingerprint, did, before }: DeadLetterFilter,
): Expression<SqlBool> {
  return eb.and([
    ...(ids === undefined ? [] : [eb('id', 'in', ids.length > 0 ? ids : [0])]),
    ...(states === undefined ? [] : [eb('state', 'in', states)]),
    ...(stream === undefined ? [] : [eb('stream', '=', stream)]),
    ...(reason === undefined ? [] : [eb('reason', '=', reason)]),
    ...(fingerprint === undefined ? [] : [eb('fingerprint', '=', fingerprint)]),
    ...(did === undefined ? [] : [eb('did', '=', did)]),
    ...(before === undefined ? [] : [eb('id', '<', before)]),
  ])
}

type LetterRow = Omit<KeptLetter, 'entryId' | 'firstAt' | 'lastAt'> & {
  entry_id: string
  first_at: Date
  last_at: Date
}

function keptLetter(row: LetterRow): KeptLetter {
  const { id, stream, reason, fingerprint, error, did, uri, host, state, attempts, retries } = row
  return {
    id,
    stream,
    entryId: row.entry_id,
    reason,
    fingerprint,
    error,
    did,
    uri,
    host,
    state,
    attempts,
    retries,
    firstAt: row.first_at,
    lastAt: row.last_at,
  }
}
