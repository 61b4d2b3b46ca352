import { hastened, isGuarded } from '@millrace/failpoints'
import {
  silentLogger,
  type DeadLetter,
  type DirtyMark,
  type HostGap,
  type Ledger,
  type Logger,
} from '@millrace/stream-protocol'
import type { Database } from './open-database.ts'
import { isKnownRepo } from './repo-heads.ts'
import { cutToBytes, storableText } from './storable-text.ts'
import { toColumns, unnestInsert, type Statement } from './unnest-insert.ts'

export interface PostgresLedgerOptions {
  database: Database
  logger?: Logger
}

/** What was given up and what has to be looked at again, in numbers. */
export interface LedgerSummary {
  /** Dead letters that nobody has decided about, counted by reason. */
  deadLetters: Record<string, number>
  dirty: {
    count: number
    /** When the account that has waited longest was marked. */
    oldest: Date | null
  }
  /** Open gaps, the oldest 100. */
  gaps: (HostGap & { openedAt: Date })[]
}

/**
 * The ledger in the tables `millrace_dead_letter`, `millrace_dirty` and `millrace_gap`. All three calls are durable
 * when they resolve, and harmless when they are repeated. They reject when the database is away: retrying, before the
 * message is acked, is the caller's part (hazard G3).
 */
export class PostgresLedger implements Ledger {
  readonly #database: Database
  readonly #logger: Logger

  constructor({ database, logger = silentLogger }: PostgresLedgerOptions) {
    this.#database = database
    this.#logger = logger.child({ component: 'ledger' })
  }

  /** An entry that is given up again is one row still: it counts the attempts, and is to be decided about again if that was done. */
  async deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0 || !isGuarded('dead-letter')) return
    await this.#database.pool.query(deadLetterStatement(letters))
    for (const { stream, entryId, reason, did, uri } of letters)
      this.#logger.warn({ stream, entryId, reason, did, uri }, 'gave up a message')
  }

  /** An account that is marked again keeps its place and its attempts. */
  async markDirty(marks: readonly DirtyMark[]): Promise<void> {
    if (marks.length === 0) return
    await this.#database.pool.query(dirtyStatement(marks))
    this.#logger.debug({ count: marks.length }, 'marked accounts dirty')
  }

  /** A gap of the same host, stream and reason that is still open is made wider. */
  async recordGap(gap: HostGap): Promise<void> {
    await this.#database.pool.query(gapStatement(gap))
    this.#logger.warn({ ...gap }, 'events of a host may be missing')
  }

  /** Reads three indexes, no payloads. */
  async summary(): Promise<LedgerSummary> {
    const { db } = this.#database
    const [reasons, dirty, gaps] = await Promise.all([
      db
        .selectFrom('millrace_dead_letter')
        .select(({ fn }) => ['reason', fn.countAll<number>().as('count')])
        .where('state', '=', 'kept')
        .groupBy('reason')
        .orderBy('reason')
        .execute(),
      db
        .selectFrom('millrace_dirty')
        .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('since').as('oldest')])
        .executeTakeFirstOrThrow(),
      db.selectFrom('millrace_gap').selectAll().where('closed_at', 'is', null).orderBy('id').limit(100).execute(),
    ])
    return {
      deadLetters: Object.fromEntries(reasons.map(({ reason, count }) => [reason, count])),
      dirty: { count: dirty.count, oldest: dirty.oldest },
      gaps: gaps.map(({ host, stream, reason, from_seq, to_seq, opened_at }) => ({
        host,
        stream,
        reason,
        fromSeq: from_seq ?? undefined,
        toSeq: to_seq ?? undefined,
        openedAt: opened_at,
      })),
    }
  }
}

export const MAX_PAYLOAD_BYTES = 65_536
export const MAX_ERROR_BYTES = 4_096
/** Indexed text: three such columns fit into the 2,704 bytes that an index can hold (hazard X21). */
const MAX_URI_BYTES = 2_000
const MAX_WORD_BYTES = 250

const insertDeadLetters = unnestInsert({
  table: 'millrace_dead_letter',
  columns: {
    stream: 'text',
    entry_id: 'text',
    reason: 'text',
    error: 'text',
    did: 'text',
    uri: 'text',
    host: 'text',
    payload: 'text',
  },
  suffix: `
    on conflict (stream, entry_id, (coalesce(uri, ''))) do update set
      reason = excluded.reason,
      error = excluded.error,
      payload = excluded.payload,
      attempts = millrace_dead_letter.attempts + 1,
      last_at = now(),
      state = 'kept'`,
})

/** What `PostgresLedger.deadLetter` runs, for use within a transaction of one's own. For one letter or more. */
export function deadLetterStatement(letters: readonly DeadLetter[]): Statement {
  // A statement may meet a row once, and statements that meet the same rows in different orders could deadlock.
  const rows = letters.map((letter) => [
    word(letter.stream),
    word(letter.entryId),
    word(letter.reason),
    text(letter.error, MAX_ERROR_BYTES),
    letter.did === undefined ? null : text(letter.did, MAX_URI_BYTES),
    letter.uri === undefined ? null : text(letter.uri, MAX_URI_BYTES),
    letter.host === undefined ? null : word(letter.host),
    text(letter.payload, MAX_PAYLOAD_BYTES),
  ])
  return insertDeadLetters(
    lastByKey(rows, ([stream, entryId, , , , uri]) => JSON.stringify([stream, entryId, uri ?? ''])),
  )
}

/**
 * A repo that was fetched a moment ago waits, longer each time that it breaks again (hazard B17). One that we know nothing
 * of waits a little for the listing that is likely to bring it.
 */
const minute = `interval '${hastened(60)} seconds'`
const dirtyText = `
  insert into millrace_dirty (did, reason, host, rev, priority, next_at)
  select k.did, k.reason, k.host, k.rev, k.priority,
    greatest(
      now() + make_interval(secs => k.wait_ms / 1000 * (0.5 + random())),
      now() + case when k.reason = 'unknown-repo' then ${minute} else interval '0' end,
      r.resynced_at + ${isGuarded('cool-down') ? minute : "interval '0'"} * least(60, 2 ^ least(r.resync_streak, 7) / 2)
    )
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::float8[], $7::boolean[])
    as k(did, reason, host, rev, priority, wait_ms, if_known) left join millrace_repo as r using (did)
  where not k.if_known or ${isKnownRepo('k.did')}
  order by k.did collate "C"
  on conflict (did) do update set
    reason = excluded.reason,
    host = coalesce(excluded.host, millrace_dirty.host),
    rev = greatest(excluded.rev, millrace_dirty.rev),
    priority = least(millrace_dirty.priority, excluded.priority),
    updated_at = clock_timestamp()`

/** What `PostgresLedger.markDirty` runs, for use within a transaction of one's own. For one mark or more. */
export function dirtyStatement(marks: readonly DirtyMark[]): Statement {
  const known = new Set(marks.filter(({ ifKnown }) => !ifKnown).map(({ did }) => did))
  const rows = marks.map((mark) => [
    text(mark.did, MAX_URI_BYTES),
    word(mark.reason),
    mark.host === undefined ? null : word(mark.host),
    mark.rev === undefined ? null : word(mark.rev),
    String(mark.priority ?? 1),
    String(mark.waitMs ?? 0),
    String(!known.has(mark.did)),
  ])
  // Of several marks for one account the one with the newest revision stays.
  rows.sort(([, , , a], [, , , b]) => byBytes(a ?? '', b ?? ''))
  return {
    text: dirtyText,
    values: toColumns(
      lastByKey(rows, ([did]) => String(did)),
      7,
    ),
  }
}

/**
 * Sequence numbers are widened as numbers where they are such, and otherwise taken as the first and the last heard. A
 * repair that has begun does not look for what is lost only now: the gap waits for the next one.
 */
const numeric = String.raw`'^\d{1,18}$'`
const insertGap = unnestInsert({
  table: 'millrace_gap',
  columns: { host: 'text', stream: 'text', reason: 'text', from_seq: 'text', to_seq: 'text' },
  suffix: `
    on conflict (host, stream, reason) where closed_at is null do update set
      from_seq = case
        when millrace_gap.from_seq ~ ${numeric} and excluded.from_seq ~ ${numeric}
          then least(millrace_gap.from_seq::bigint, excluded.from_seq::bigint)::text
        else coalesce(millrace_gap.from_seq, excluded.from_seq)
      end,
      to_seq = case
        when millrace_gap.to_seq ~ ${numeric} and excluded.to_seq ~ ${numeric}
          then greatest(millrace_gap.to_seq::bigint, excluded.to_seq::bigint)::text
        else coalesce(excluded.to_seq, millrace_gap.to_seq)
      end,
      repair = null`,
})

/** What `PostgresLedger.recordGap` runs, for use within a transaction of one's own. */
export function gapStatement({ host, stream, reason, fromSeq, toSeq }: HostGap): Statement {
  return insertGap([
    [
      word(host),
      word(stream),
      word(reason),
      fromSeq === undefined ? null : word(fromSeq),
      toSeq === undefined ? null : word(toSeq),
    ],
  ])
}

type Row = readonly (string | null)[]

/** The last row of each key, in the order of the keys. */
function lastByKey(rows: readonly Row[], keyOf: (row: Row) => string): Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  return [...byKey].sort(([a], [b]) => byBytes(a, b)).map(([, row]) => row)
}

function byBytes(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function text(value: string, maxBytes: number): string {
  return cutToBytes(storableText(value), maxBytes)
}

function word(value: string): string {
  return text(value, MAX_WORD_BYTES)
}
