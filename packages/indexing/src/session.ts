import { failpoint } from '@millrace/failpoints'
import { TextArray } from '@millrace/database'
import type { Pool, PoolClient } from 'pg'

/**
 * A statement with its parameters. Its text is prepared once per connection: put values into `values`, never into it.
 */
export interface Statement {
  /** With the type of every array of texts beside its parameter: `$1::text[]`. */
  text: string
  values: unknown[]
}

interface PreparedText {
  name: string
  /** Positions of its values that are arrays of texts. */
  textArrays: ReadonlySet<number>
}

// The texts are few (one for each table and purpose), so that each is parsed once per connection.
const prepared = new Map<string, PreparedText>()
function prepare(text: string): PreparedText {
  let known = prepared.get(text)
  if (known === undefined) {
    const parameters = [...text.matchAll(/\$(\d+)::text\[\]/g)].map(([, number]) => Number(number) - 1)
    prepared.set(text, (known = { name: `millrace_${prepared.size}`, textArrays: new Set(parameters) }))
  }
  return known
}

/** The statements of one transaction. Several may be sent before the first has answered: they run in the order sent. */
export class Session {
  readonly #client: PoolClient
  /** Statements sent so far. */
  statements = 0
  /** Times that we waited for answers. */
  roundTrips = 0

  constructor(client: PoolClient) {
    this.#client = client
  }

  /** Sends a statement. It is no round trip by itself: await several together with `all`. */
  async query<T extends object>({ text, values }: Statement): Promise<T[]> {
    this.statements += 1
    const { name, textArrays } = prepare(text)
    const parameters = values.map((value, index) =>
      textArrays.has(index) && Array.isArray(value) ? new TextArray(value as (string | null)[]) : value,
    )
    const { rows } = await this.#client.query<T>({ name, text, values: parameters })
    return rows
  }

  /** Sends statements together and waits for all of them: one round trip. */
  async all<const S extends readonly (Statement | undefined)[]>(statements: S): Promise<{ [K in keyof S]: object[] }> {
    this.roundTrips += 1
    const results = await Promise.all(
      statements.map((statement) => (statement ? this.query(statement) : Promise.resolve([]))),
    )
    return results as { [K in keyof S]: object[] }
  }

  /** Sends one statement and waits for it: a round trip. */
  async one<T extends object>(statement: Statement): Promise<T[]> {
    this.roundTrips += 1
    return this.query<T>(statement)
  }
}

/**
 * Our statements look rows up by their keys, however many there are: that is all their plans may do. Left to itself the
 * planner reads whole tables where it has no statistics, as after the start of a backfill, or compiles recursions whose
 * size it overrates. As nothing is left to decide, a plan is made once per connection, and is as good for an empty
 * table as for a large one.
 */
const begin = [
  'begin',
  'set local plan_cache_mode = force_generic_plan',
  ...['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'].map((setting) => `set local ${setting} = off`),
].join('; ')

/** Runs `work` in one transaction. Resolves after COMMIT has answered; any failure rolls back and is thrown. */
export async function transaction<T>(pool: Pool, work: (session: Session) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    const session = new Session(client)
    const [, result] = await Promise.all([client.query(begin), work(session)])
    session.roundTrips += 1
    failpoint('indexer.written')
    await client.query('commit')
    return result
  } catch (error) {
    failure = error as Error
    await rollback(client)
    throw error
  } finally {
    // A connection that failed may be in any state; a new one costs little.
    client.release(failure)
  }
}

async function rollback(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback')
  } catch {
    // The connection is gone, and the transaction with it; the first error is what the caller needs.
  }
}
