import type { Database } from '@millrace/database'
import { streams } from '@millrace/stream-protocol'
import type { ComparedPage, ListedStatus } from './compare-page.ts'
import type { Repair, RepairCount } from './repair.ts'

/** Fetches of one repo after which it no longer holds up its repair. It stays marked. */
const TRIES = 3

/** A repair that somebody or something asks for. */
export interface PlanRepair {
  /** Without scheme. */
  host: string
  reason: 'asked' | 'gap' | 'periodic' | 'collections'
  since?: Date | undefined
  until?: Date | undefined
  dryRun?: boolean
  reindex?: boolean
}

const columns = `
  r.id, r.host, r.reason, r.since, r.until, r.dry_run as "dryRun", r.reindex, r.state, r.paused, r.list_cursor as cursor,
  r.listed, r.inactive, r.current, r.moved, r.unknown,
  (select count(*) from millrace_dirty d where d.repair = r.id and d.attempts < ${TRIES}) as waiting,
  case when r.finished_at is null
    then (select count(*) from millrace_dirty d where d.repair = r.id and d.attempts >= ${TRIES}) else r.failed end as failed,
  r.sampled, r.diverged, r.error, r.created_at as "createdAt", r.updated_at as "updatedAt", r.finished_at as "finishedAt"`

/** The streams whose upstreams have repos to compare. */
export const repoStreams = [streams.firehoseLive, streams.repoBackfill]

/**
 * A gap of no known host is one of every host: each gets its own, which its repair closes, also when we die between two
 * hosts. Gaps of labels have no repos to compare: those are read again.
 */
const spreadGaps = {
  text: `
    with lost as (
      select * from millrace_gap
      where host = '' and closed_at is null and repair is null and stream <> '${streams.labelLive}'
        and exists (select from millrace_upstream where stream = any ($1::text[]))
      for update
    ), spread as (
      insert into millrace_gap (host, stream, reason, from_seq, to_seq, since, until, opened_at)
      select u.host, stream, reason, from_seq, to_seq, since, until, opened_at
      from lost cross join (select distinct host from millrace_upstream where stream = any ($1::text[])) as u
      order by u.host
      on conflict (host, stream, reason) where closed_at is null do update set repair = null
    )
    update millrace_gap set closed_at = now() where id in (select id from lost)`,
  values: [repoStreams],
}

/** A time as the tables have it. */
const textOf = (time: string): string => `to_char((${time}) at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * What a host has decided for itself, of which no PDS knows, is its word now, as if the event that was lost had come. It
 * has no number by which it could overrule what was heard while the list was on its way: that stays.
 */
function hostWords(host: string, listed: readonly ListedStatus[]): { text: string; values: unknown[] } {
  return {
    text: `
      insert into millrace_account_status as s (did, host, active, status, seq, time)
      select did, $1, active, status, 0, ${textOf('now()')}
      from unnest($2::text[], $3::boolean[], $4::text[]) as k(did, active, status)
      where status in ('takendown', 'suspended')
        or active and exists (select from millrace_account_status w where w.did = k.did and w.host = $1 and not w.active)
      order by did collate "C"
      on conflict (did, host) do update set active = excluded.active, status = excluded.status
      where s.time < ${textOf("now() - interval '5 minutes'")}`,
    values: [
      host,
      listed.map(({ did }) => did),
      listed.map(({ active }) => active),
      listed.map(({ active, status }) => (active ? null : status)),
    ],
  }
}

/** The tables that repairs live in. Every change is one statement or one transaction, and harmless when repeated. */
export class RepairStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /**
   * Plans a repair of one host, and hands it the host's open gaps. One that is open already takes the gaps over, and is
   * returned as it is: a host is repaired once at a time.
   */
  async plan({
    host,
    reason,
    since,
    until,
    dryRun = false,
    reindex = false,
  }: PlanRepair): Promise<{ id: number; isNew: boolean }> {
    return await this.#database.transaction(async (client) => {
      await client.query(spreadGaps)
      const { rows } = await client.query<{ id: number }>({
        text: `insert into millrace_repair (host, reason, since, until, dry_run, reindex) values ($1, $2, $3, $4, $5, $6)
          on conflict (host) where finished_at is null do nothing returning id`,
        values: [host, reason, since ?? null, until ?? null, dryRun, reindex],
      })
      const isNew = rows.length > 0
      const id =
        rows[0]?.id ??
        (
          await client.query<{ id: number }>('select id from millrace_repair where host = $1 and finished_at is null', [
            host,
          ])
        ).rows[0]?.id
      if (id === undefined) throw new Error(`the repair of ${host} ended just now: try again`)
      // Only what a repair looks at from its beginning can be closed by it.
      if (isNew && !dryRun)
        await client.query(
          `update millrace_gap set repair = $1 where closed_at is null and repair is null and host = $2 and stream <> '${streams.labelLive}'
             and ($3::timestamptz is null or coalesce(since, opened_at) >= $3)`,
          [id, host, since ?? null],
        )
      return { id, isNew }
    })
  }

  /** @returns a repair, or undefined when there is none of this number. */
  async get(id: number): Promise<Repair | undefined> {
    const { rows } = await this.#database.pool.query<Repair>(`select ${columns} from millrace_repair r where id = $1`, [
      id,
    ])
    return rows[0]
  }

  /** Newest first. */
  async list(limit = 50): Promise<Repair[]> {
    const { rows } = await this.#database.pool.query<Repair>(
      `select ${columns} from millrace_repair r order by id desc limit $1`,
      [limit],
    )
    return rows
  }

  /** @returns what a repair has changed so far, by collection. */
  async counts(id: number): Promise<RepairCount[]> {
    const { rows } = await this.#database.pool.query<RepairCount>(
      'select collection, created, updated, deleted, unchanged from millrace_repair_count where repair = $1 order by collection',
      [id],
    )
    return rows
  }

  /** @returns false when it is not open. */
  async setPaused(id: number, paused: boolean): Promise<boolean> {
    const { rowCount } = await this.#database.pool.query(
      'update millrace_repair set paused = $2, updated_at = now() where id = $1 and finished_at is null',
      [id, paused],
    )
    // What is paused is not fetched either.
    await this.#database.pool.query(
      paused
        ? `update millrace_dirty set next_at = 'infinity' where repair = $1 and priority = 2`
        : `update millrace_dirty set next_at = now() where repair = $1 and next_at = 'infinity'`,
      [id],
    )
    return rowCount === 1
  }

  /** Ends it: its gaps are open again, and what it has marked alone is not fetched. @returns false when it is not open. */
  async cancel(id: number): Promise<boolean> {
    return await this.#database.transaction(async (client) => {
      const { rowCount } = await client.query(
        `update millrace_repair set state = 'cancelled', finished_at = now(), updated_at = now() where id = $1 and finished_at is null`,
        [id],
      )
      await client.query('update millrace_gap set repair = null where repair = $1 and closed_at is null', [id])
      await client.query(`delete from millrace_dirty where repair = $1 and reason = 'repair'`, [id])
      return rowCount === 1
    })
  }

  /** Takes a repair that nobody works on, for a while: whoever dies over it leaves it to the next one. */
  async take(leaseMs: number): Promise<Repair | undefined> {
    const { rows } = await this.#database.pool.query<{ id: number }>(
      `update millrace_repair set leased_until = now() + make_interval(secs => $1) where id = (
         select id from millrace_repair where finished_at is null and not paused and leased_until <= now()
           and not exists (select from millrace_pause p
             where p.kind = 'host' and p.name = millrace_repair.host and (p.until is null or p.until > now()))
         order by reason = 'periodic', id limit 1 for update skip locked
       ) returning id`,
      [leaseMs / 1_000],
    )
    return rows[0] && (await this.get(rows[0].id))
  }

  /** Gives it back, to be taken again after a pause. */
  async release(id: number, pauseMs: number, error: string | null = null): Promise<void> {
    await this.#database.pool.query(
      `update millrace_repair set leased_until = now() + make_interval(secs => $2), error = left($3, 500) where id = $1`,
      [id, pauseMs / 1_000, error],
    )
  }

  /** How many repos wait for repairs: listing waits while there are many. */
  async backlog(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      `select count(*) as count from (select from millrace_dirty where repair is not null limit 100000) as waiting`,
    )
    return rows[0]!.count
  }

  /**
   * Keeps what came of one page, and the place after it, in one step. A repo that is marked already keeps its place in
   * the queue.
   */
  async savePage(repair: Repair, page: ComparedPage, listed: number, next: string | null): Promise<void> {
    const { counts } = page
    await this.#database.transaction(async (client) => {
      const { rowCount } = await client.query(
        `update millrace_repair set list_cursor = $2, state = case when $2::text is null then 'fetching' else state end,
           listed = listed + $3, inactive = inactive + $4, current = current + $5, moved = moved + $6, unknown = unknown + $7,
           error = null, updated_at = now()
         where id = $1 and state = 'listing' and list_cursor is not distinct from $8`,
        [
          repair.id,
          next,
          listed,
          counts.inactive,
          counts.current + counts.unchanged,
          counts.moved,
          counts.unknown,
          repair.cursor,
        ],
      )
      // Somebody else has this page.
      if (rowCount === 0 || repair.dryRun) return
      if (page.fetch.length > 0) {
        await client.query(
          `insert into millrace_dirty (did, reason, host, rev, priority, repair, reindex)
           select did, 'repair', $2, rev, 2, $3, $4 from unnest($1::text[], $5::text[]) as k(did, rev) order by did collate "C"
           on conflict (did) do update set repair = excluded.repair, reindex = millrace_dirty.reindex or excluded.reindex,
             rev = greatest(millrace_dirty.rev, excluded.rev)`,
          [page.fetch.map(({ did }) => did), repair.host, repair.id, repair.reindex, page.fetch.map(({ rev }) => rev)],
        )
      }
      // Handles have no revision that would tell: those of accounts that have moved are looked up again.
      const identities = [
        ...new Set([...page.fetch.map(({ did }) => did), ...page.statusDiffers.map(({ did }) => did)]),
      ].sort()
      if (identities.length > 0) {
        await client.query(
          `insert into millrace_identity (did, forced) select did, true from unnest($1::text[]) as did
           on conflict (did) do nothing`,
          [identities],
        )
      }
      // What a host said of an account may have been lost as well: its PDS tells (hazard D9).
      if (page.statusDiffers.length > 0) {
        await client.query(
          `insert into millrace_account (did, next_at) select did, now() from unnest($1::text[]) as did order by did collate "C"
           on conflict (did) do update set requested_at = now(), next_at = now(), attempts = 0`,
          [page.statusDiffers.map(({ did }) => did)],
        )
        await client.query(hostWords(repair.host, page.statusDiffers))
      }
    })
  }

  /** Changes the state of a repair that is not over; of one that is, nothing. */
  async setState(id: number, state: Repair['state']): Promise<void> {
    await this.#database.pool.query(
      'update millrace_repair set state = $2, updated_at = now() where id = $1 and finished_at is null',
      [id, state],
    )
  }

  /** Adds to how many repos were compared as a sample, and how many of them differed. */
  async addSample(id: number, sampled: number, diverged: number): Promise<void> {
    await this.#database.pool.query(
      'update millrace_repair set sampled = sampled + $2, diverged = diverged + $3, updated_at = now() where id = $1',
      [id, sampled, diverged],
    )
  }

  /** Repos that we think are whole: some of those that were fetched for the repair, and some of any. */
  async sample(count: number): Promise<string[]> {
    const { rows } = await this.#database.pool.query<{ did: string }>(
      `select did from (
         (select did from millrace_repo where head_rev is not null and broken_rev is null order by updated_at desc limit $1)
         union
         (select did from millrace_repo where head_rev is not null and broken_rev is null and did >= $2 order by did limit $1)
       ) as chosen order by random() limit $1`,
      [count, `did:plc:${Math.random().toString(36).slice(2, 8)}`],
    )
    return rows.map(({ did }) => did)
  }

  /** Ends it, and closes the gaps that it was for. What could not be fetched stays marked, and is counted. */
  async finish(id: number): Promise<void> {
    await this.#database.transaction(async (client) => {
      await client.query(
        `update millrace_repair r set state = 'done', finished_at = now(), updated_at = now(), error = null,
           failed = (select count(*) from millrace_dirty d where d.repair = r.id) where id = $1 and finished_at is null`,
        [id],
      )
      await client.query('update millrace_gap set closed_at = now() where repair = $1 and closed_at is null', [id])
      await client.query('update millrace_dirty set repair = null where repair = $1', [id])
    })
  }
}
