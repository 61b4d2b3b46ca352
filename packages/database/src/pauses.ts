import type { Database } from './open-database.ts'

/** What can be left alone: a role of process, a consumer group, a host, or the records of a collection. */
export const pauseKinds = ['role', 'group', 'host', 'collection'] as const

/** What can be paused. */
export type PauseKind = (typeof pauseKinds)[number]

/** One part that can be paused. */
export interface PauseTarget {
  kind: PauseKind
  /** A host is without scheme. */
  name: string
}

/** A part that operators have paused, and for how long. */
export interface Pause extends PauseTarget {
  reason: string
  who: string
  since: Date
  /** Null for one that lasts until somebody resumes it. */
  until: Date | null
  /** Until its time is over, by the clock of the database; negative afterwards, null without an end. */
  leftMs: number | null
}

const columns = `kind, name, reason, who, since, until, (extract(epoch from until - now()) * 1000)::float8 as "leftMs"`

/** What operators have paused. It lasts, and is heard by all processes that have the database (see `PauseWatch`). */
export class Pauses {
  readonly #database: Pick<Database, 'pool'>

  constructor(database: Pick<Database, 'pool'>) {
    this.#database = database
  }

  /** Also those whose time is over, and that no process has taken away yet. */
  async list(): Promise<Pause[]> {
    const { rows } = await this.#database.pool.query<Pause>({
      name: 'millrace_pauses',
      text: `select ${columns} from millrace_pause order by kind, name`,
    })
    return rows
  }

  /** Puts a pause in place of one of the same target. @param forMs how long it lasts; null until it is resumed. */
  async set({
    kind,
    name,
    reason,
    who,
    forMs,
  }: PauseTarget & { reason: string; who: string; forMs: number | null }): Promise<Pause> {
    const { rows } = await this.#database.pool.query<Pause>(
      `insert into millrace_pause (kind, name, reason, who, until)
       values ($1, $2, $3, $4, now() + make_interval(secs => $5))
       on conflict (kind, name) do update set reason = excluded.reason, who = excluded.who, until = excluded.until,
         since = case when millrace_pause.until <= now() then now() else millrace_pause.since end
       returning ${columns}`,
      [kind, name, reason, who, forMs === null ? null : forMs / 1_000],
    )
    return rows[0]!
  }

  /** @returns false when it was not paused. */
  async clear({ kind, name }: PauseTarget): Promise<boolean> {
    const { rowCount } = await this.#database.pool.query('delete from millrace_pause where kind = $1 and name = $2', [
      kind,
      name,
    ])
    return rowCount === 1
  }

  /** Forgets those whose time is over. */
  async clearOver(): Promise<PauseTarget[]> {
    const { rows } = await this.#database.pool.query<PauseTarget>(
      'delete from millrace_pause where until <= now() returning kind, name',
    )
    return rows
  }
}
