import type { SharedState } from '@millrace/stream-protocol'
import type { Database } from './open-database.ts'

export interface PostgresStateOptions {
  database: Pick<Database, 'pool'>
  /** What the names belong to. */
  scope: string
}

/** Values that nobody has changed for so long are forgotten. */
const KEEP_DAYS = 7
/** Changes between two looks at what may be forgotten. */
const TIDY_EVERY = 1_000
/** Somebody else is faster so often only when something is wrong. */
const ATTEMPTS = 50

/** State of the table `millrace_state`, for all processes that share the database. Its clock is the database's. */
export class PostgresState<T> implements SharedState<T> {
  readonly #database: Pick<Database, 'pool'>
  readonly #scope: string
  #changes = 0

  constructor({ database, scope }: PostgresStateOptions) {
    this.#database = database
    this.#scope = scope
  }

  async change<R>(name: string, change: (value: T | undefined, now: number) => [value: T, result: R]): Promise<R> {
    if (++this.#changes % TIDY_EVERY === 0) await this.#tidy()
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { value, version, now } = await this.#read(name)
      const [changed, result] = change(value, now)
      if (await this.#write(name, version, changed)) return result
    }
    throw new Error(`the value of ${this.#scope} ${name} does not hold still`)
  }

  /** All values that were changed lately, the latest first. */
  async recent(withinMs: number): Promise<T[]> {
    const { rows } = await this.#database.pool.query<{ value: T }>(
      `select value from millrace_state where scope = $1 and updated_at > now() - make_interval(secs => $2)
       order by updated_at desc`,
      [this.#scope, withinMs / 1_000],
    )
    return rows.map(({ value }) => value)
  }

  async #read(name: string): Promise<{ value: T | undefined; version: number; now: number }> {
    const { rows } = await this.#database.pool.query<{ value: T | null; version: number | null; now: number }>({
      name: 'millrace_read_state',
      text: `
        select s.value, s.version, (extract(epoch from clock_timestamp()) * 1000)::float8 as now
        from (values ($1, $2)) as k(scope, name) left join millrace_state s using (scope, name)`,
      values: [this.#scope, name],
    })
    const { value, version, now } = rows[0]!
    return { value: value ?? undefined, version: version ?? 0, now }
  }

  /** @returns false when somebody else has written since that version was read. */
  async #write(name: string, version: number, value: T): Promise<boolean> {
    const { rowCount } = await this.#database.pool.query({
      name: 'millrace_write_state',
      text: `
        insert into millrace_state as s (scope, name, value, version) select $1, $2, $4, 1
          where $3 = 0 or exists (select from millrace_state where scope = $1 and name = $2)
        on conflict (scope, name) do update set value = excluded.value, version = s.version + 1, updated_at = now()
          where s.version = $3`,
      values: [this.#scope, name, version, JSON.stringify(value)],
    })
    return rowCount === 1
  }

  async #tidy(): Promise<void> {
    await this.#database.pool.query(
      'delete from millrace_state where scope = $1 and updated_at < now() - make_interval(days => $2)',
      [this.#scope, KEEP_DAYS],
    )
  }
}
