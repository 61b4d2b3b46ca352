import { streams } from '@millrace/stream-protocol'
import { DIRTY_STREAM } from './dirty-queue.ts'
import type { Database } from './open-database.ts'

/** How many accounts wait to be fetched, at one moment. */
export interface BackfillCounts {
  /** Marked accounts that wait, by why: people, a firehose, repairs, and the first fetch of repos. */
  waiting: { asked: number; live: number; repair: number; backfill: number }
  /** Of these, those that were fetched before, in vain or not for long. */
  retrying: number
  /** Repos that were given up, and that nobody has decided about. */
  failed: number
}

/** The priority of accounts that nobody waits for. */
const LAST = 3
/** Streams whose repos are given up as a whole. */
const repoStreams = [streams.repoBackfill, DIRTY_STREAM]
const dueAt = `case when priority = ${LAST} and (select value = 'true' from millrace_setting where name = 'backfill-paused')
  then 'infinity'::timestamptz else now() end`

/** What operators do with the backfill: everything they say lasts, and is heard by all backfillers of the database. */
export class BackfillQueue {
  readonly #database: Pick<Database, 'pool' | 'transaction'>

  constructor(database: Pick<Database, 'pool' | 'transaction'>) {
    this.#database = database
  }

  /** Has accounts fetched from their own hosts: after all else, or first of all. @returns how many did not wait already. */
  async add(dids: readonly string[], { first = false }: { first?: boolean } = {}): Promise<number> {
    const { rows } = await this.#database.pool.query<{ isNew: boolean }>(
      `insert into millrace_dirty (did, reason, priority, next_at)
       select did, 'backfill', priority, ${dueAt}
         from (select did, $2::smallint as priority from unnest($1::text[]) as did) as k order by did collate "C"
       on conflict (did) do update set priority = least(millrace_dirty.priority, excluded.priority),
         next_at = least(millrace_dirty.next_at, excluded.next_at)
       returning xmax = 0 as "isNew"`,
      [[...new Set(dids)], first ? 0 : LAST],
    )
    return rows.filter(({ isNew }) => isNew).length
  }

  /** How many of these accounts `add` would add, or would have fetched sooner. */
  async countNew(dids: readonly string[], { first = false }: { first?: boolean } = {}): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      `select count(distinct k.did)::int as count from unnest($1::text[]) as k(did)
         left join millrace_dirty d using (did) where d.did is null or d.priority > $2`,
      [dids, first ? 0 : LAST],
    )
    return rows[0]!.count
  }

  /** What nobody waits for is left where it is, or gone on with. */
  async setPaused(paused: boolean): Promise<void> {
    await this.#database.transaction(async (client) => {
      await client.query(
        `insert into millrace_setting (name, value) values ('backfill-paused', $1::jsonb)
         on conflict (name) do update set value = excluded.value, updated_at = now()`,
        [JSON.stringify(paused)],
      )
      await client.query(
        paused
          ? `update millrace_dirty set next_at = 'infinity' where priority = ${LAST}`
          : `update millrace_dirty set next_at = now() where priority = ${LAST} and next_at = 'infinity'`,
      )
    })
  }

  /** Whether operators have paused the fetching of repos. */
  async isPaused(): Promise<boolean> {
    const { rows } = await this.#database.pool.query<{ value: boolean }>({
      name: 'millrace_backfill_paused',
      text: `select value from millrace_setting where name = 'backfill-paused'`,
    })
    return rows[0]?.value ?? false
  }

  /** Has repos fetched at once that were given up, or wait since they did not hold. @returns how many. */
  async retryFailed(): Promise<number> {
    return await this.#database.transaction(async (client) => {
      const { rows } = await client.query<{ did: string }>(
        `update millrace_dead_letter set state = 'replayed'
         where state = 'kept' and uri is null and did is not null and stream = any ($1::text[]) returning did`,
        [repoStreams],
      )
      const { rowCount } = await client.query(
        `insert into millrace_dirty (did, reason, priority)
         select did, 'backfill', ${LAST} from (
           select unnest($1::text[]) as did union select did from millrace_dirty where reason = 'invalid-repo'
         ) as k order by did collate "C"
         on conflict (did) do update set reason = excluded.reason, attempts = 0, next_at = now(),
           priority = least(millrace_dirty.priority, excluded.priority), updated_at = clock_timestamp()`,
        [rows.map(({ did }) => did)],
      )
      return rowCount ?? 0
    })
  }

  /** How many `retryFailed` would have fetched. */
  async countFailed(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      `select count(*)::int as count from (
         select did from millrace_dead_letter
         where state = 'kept' and uri is null and did is not null and stream = any ($1::text[])
         union select did from millrace_dirty where reason = 'invalid-repo'
       ) as k`,
      [repoStreams],
    )
    return rows[0]!.count
  }

  /** @returns how many wait and how many were given up; counted, not estimated. */
  async counts(): Promise<BackfillCounts> {
    const { rows } = await this.#database.pool.query<{ priority: number; waiting: number; retrying: number }>(
      `select priority, count(*)::int as waiting, (count(*) filter (where attempts > 1))::int as retrying
       from millrace_dirty group by priority`,
    )
    const { rows: failed } = await this.#database.pool.query<{ count: number }>(
      `select count(distinct did)::int as count from millrace_dead_letter
       where state = 'kept' and uri is null and did is not null and stream = any ($1::text[])`,
      [repoStreams],
    )
    const waitingOf = (wanted: number): number => rows.find(({ priority }) => priority === wanted)?.waiting ?? 0
    return {
      waiting: { asked: waitingOf(0), live: waitingOf(1), repair: waitingOf(2), backfill: waitingOf(LAST) },
      retrying: rows.reduce((sum, { retrying }) => sum + retrying, 0),
      failed: failed[0]?.count ?? 0,
    }
  }
}
