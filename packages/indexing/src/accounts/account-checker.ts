import type { Database } from '@millrace/database'
import {
  noMeter,
  silentLogger,
  sleep,
  type Counter,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import type { IndexingService } from '../indexing-service.ts'
import type { PdsAnswer } from './account-state.ts'
import { LEASE_SECONDS } from './stored-account.ts'

/**
 * Asks the PDS that an account has now how it stands. Rejects when that cannot be told now (hazard D10); the error may
 * say in `retryAfterMs` how long asking again is useless, and with `wasAsked: false` that nobody was asked, because a
 * host has enough to do: then it is no failure.
 */
export type AskPds = (did: string, signal: AbortSignal) => Promise<PdsAnswer>

export interface AccountCheckerOptions {
  database: Database
  /** Opened with `asksAboutAccounts: true`. */
  indexing: IndexingService
  ask: AskPds
  /** Accounts at a time. @default 10 */
  concurrency?: number
  /**
   * A PDS that does not answer for so long has nothing to object: what hosts say of its accounts is final then.
   * In milliseconds. @default 24 h
   */
  patienceMs?: number
  /** Pause when nothing is due, in milliseconds. @default 1_000 */
  idleMs?: number
  logger?: Logger
  meter?: Meter
}

interface Question {
  did: string
  requestedAt: string
  deleted: boolean
  /** Since it was asked for. */
  waitedMs: number
}

const results = ['active', 'inactive', 'unknown', 'tombstoned', 'failed', 'postponed'] as const

/**
 * Asks about accounts that a host says are inactive, and removes those that are deleted, beside the records' way:
 * questions wait in `millrace_account`, so that none is lost and no record waits for a host (hazards D9, D12). One
 * account is asked about once at a time, and an answer counts only if nothing was heard of the account meanwhile.
 * Several processes share the work.
 */
export class AccountChecker implements Loop {
  readonly name = 'account-checker'
  readonly #database: Database
  readonly #indexing: IndexingService
  readonly #ask: AskPds
  readonly #concurrency: number
  readonly #patienceMs: number
  readonly #idleMs: number
  readonly #logger: Logger
  readonly #checks: Counter
  readonly #atWork: Gauge

  constructor({
    database,
    indexing,
    ask,
    concurrency = 10,
    patienceMs = 86_400_000,
    idleMs = 1_000,
    logger = silentLogger,
    meter = noMeter,
  }: AccountCheckerOptions) {
    this.#database = database
    this.#indexing = indexing
    this.#ask = ask
    this.#concurrency = concurrency
    this.#patienceMs = patienceMs
    this.#idleMs = idleMs
    this.#logger = logger.child({ component: this.name })
    this.#checks = meter.counter('millrace_account_checks_total', 'Questions to the PDS of accounts, by answer', [
      'answer',
    ])
    for (const answer of results) this.#checks.add(0, { answer })
    this.#atWork = meter.gauge('millrace_account_checks_taken', 'Accounts that are asked about or removed now', [])
  }

  async run(signal: AbortSignal): Promise<void> {
    const atWork = new Set<Promise<void>>()
    while (!signal.aborted) {
      const questions = await this.#take(this.#concurrency - atWork.size)
      for (const question of questions) {
        const work = this.#check(question, signal).finally(() => atWork.delete(work))
        atWork.add(work)
      }
      this.#atWork.set(atWork.size)
      if (atWork.size >= this.#concurrency) await Promise.race(atWork)
      else if (questions.length === 0) await sleep(this.#idleMs, signal)
    }
    await Promise.all(atWork)
    this.#atWork.set(0)
  }

  /** How many accounts are to be asked about or removed, due or not. */
  async pending(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      'select count(*) as count from millrace_account where next_at is not null',
    )
    return rows[0]!.count
  }

  /** A question that is taken comes back by itself if we die over it. */
  async #take(most: number): Promise<Question[]> {
    try {
      const { rows } = await this.#database.pool.query<Question>({
        name: 'millrace_take_accounts',
        text: `
          update millrace_account set next_at = now() + make_interval(secs => $2), attempts = attempts + 1
          where did in (select did from millrace_account where next_at <= now() order by next_at limit $1 for update skip locked)
          returning did, requested_at::text as "requestedAt", deleted, (extract(epoch from now() - requested_at) * 1000)::float8 as "waitedMs"`,
        values: [most, LEASE_SECONDS],
      })
      return rows
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read which accounts to ask about')
      return []
    }
  }

  async #check(question: Question, signal: AbortSignal): Promise<void> {
    const { did } = question
    try {
      if (!(await this.#isDeleted(question, signal))) return
      await this.#indexing.removeAccount(did, signal)
    } catch (error) {
      if (signal.aborted) return
      this.#logger.debug({ err: error, did }, 'cannot check an account now')
      await this.#postpone(did, error as Error)
    }
  }

  async #isDeleted({ did, requestedAt, deleted, waitedMs }: Question, signal: AbortSignal): Promise<boolean> {
    let answer: PdsAnswer
    try {
      answer = await this.#ask(did, signal)
      this.#checks.add(1, { answer: answer.answer })
    } catch (error) {
      if (signal.aborted) throw error
      this.#checks.add(1, { answer: wasAsked(error) ? 'failed' : 'postponed' })
      // It was decided before, and what is left of the account is to go.
      if (deleted) return true
      if (waitedMs < this.#patienceMs) throw error
      answer = { answer: 'unknown' }
    }
    const settled = await this.#indexing.settleAccount(did, requestedAt, answer)
    if (settled.isSettled)
      this.#logger.info({ did, answer: answer.answer, hidden: settled.hidden }, 'asked about an account')
    return settled.isSettled && settled.deleted
  }

  async #postpone(did: string, error: Error): Promise<void> {
    const { retryAfterMs = 0 } = error as { retryAfterMs?: number }
    const retryAfterSeconds = Math.min(retryAfterMs, 3_600_000) / 1_000
    try {
      await this.#database.pool.query(
        wasAsked(error)
          ? `update millrace_account set last_error = left($3, 500),
               next_at = now() + greatest(make_interval(secs => $2), make_interval(secs => least(3600, 5 * 2 ^ least(attempts, 14)) * (0.5 + random() / 2)))
             where did = $1 and next_at is not null`
          : `update millrace_account set next_at = now() + make_interval(secs => $2), attempts = greatest(0, attempts - 1), last_error = left($3, 500)
             where did = $1 and next_at is not null`,
        [did, retryAfterSeconds, error.message],
      )
    } catch (failure) {
      // The lease ends by itself, and the account is taken again.
      this.#logger.warn({ err: failure, did }, 'cannot note that an account could not be checked')
    }
  }
}

function wasAsked(error: unknown): boolean {
  return (error as { wasAsked?: boolean }).wasAsked !== false
}
