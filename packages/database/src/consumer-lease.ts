import { isGuarded } from '@millrace/failpoints'
import { randomUUID } from 'node:crypto'
import { noMeter, silentLogger, sleep, type Gauge, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'
import type { Database } from './open-database.ts'

export interface ConsumerLeaseOptions {
  database: Database
  /** The consumer groups that the name is used in. */
  groups: readonly string[]
  /** The name that is wanted. */
  name: string
  /** Time after which a name is free whose holder is silent, in milliseconds; it says so three times as often. @default 10_000 */
  leaseMs?: number
  /** Ends the wait for a holder that may be dead. */
  signal?: AbortSignal
  logger?: Logger
  meter?: Meter
}

/** How often a renewal comes in the time of a lease. */
const RENEWALS = 3
/** Longest pause between two looks at a lease that somebody else has. */
const LOOK_MS = 250

/**
 * A consumer name that no other process has in the same groups (hazard S8). Two processes under one name would each take
 * the other's pending entries: correct, and all work done twice. Who finds the name held takes `name-2`, `name-3`, and
 * says so; a name whose holder was killed is free once its lease is over. Leases are in Postgres: a Redis that is full
 * takes no new ones (hazard S2).
 */
export class ConsumerLease implements Loop, AsyncDisposable {
  readonly name = 'consumer name'
  /** The name that was got. */
  readonly consumer: string
  readonly #options: Required<Omit<ConsumerLeaseOptions, 'signal' | 'logger' | 'meter'>>
  readonly #holder: string
  readonly #logger: Logger
  readonly #shared: Gauge
  /** Another process goes by this name too: it took it while we did not renew it. */
  #isShared = false

  private constructor(
    options: Required<Omit<ConsumerLeaseOptions, 'signal'>>,
    { consumer, holder }: { consumer: string; holder: string },
  ) {
    this.consumer = consumer
    this.#holder = holder
    this.#options = options
    this.#logger = options.logger
    this.#shared = options.meter.gauge(
      'millrace_consumer_name_taken',
      '1 while another process has the consumer name that this one was configured with',
    )
    this.#shared.set(this.trouble() === undefined ? 0 : 1)
  }

  /** Resolves with a name; a holder that may be dead is given the time of one lease to show that it is not. */
  static async take({
    leaseMs = 10_000,
    logger = silentLogger,
    meter = noMeter,
    signal,
    ...rest
  }: ConsumerLeaseOptions): Promise<ConsumerLease> {
    const options = { ...rest, leaseMs, meter, logger: logger.child({ component: 'consumer-lease' }) }
    const holder = randomUUID()
    for (let number = 1; ; number++) {
      const consumer = number === 1 ? rest.name : `${rest.name}-${number}`
      if (!(await takeName(options, { wanted: rest.name, consumer, holder }, signal))) continue
      if (number > 1)
        options.logger.error(
          { wanted: rest.name, consumer, groups: rest.groups, alarm: 'consumer-name' },
          'another process has this consumer name: going by another one',
        )
      return new ConsumerLease(options, { consumer, holder })
    }
  }

  /** What is not as it was configured, in a sentence, for a health check. */
  trouble(): string | undefined {
    const { name } = this.#options
    if (this.#isShared) return `another process took the consumer name ${this.consumer} while this one was silent`
    return this.consumer === name
      ? undefined
      : `another process has the consumer name ${name}: this is ${this.consumer}`
  }

  async run(signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#options
    while (!signal.aborted) {
      await sleep(leaseMs / RENEWALS, signal)
      if (signal.aborted) return
      try {
        await this.renew()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot renew the lease of the consumer name now')
      }
    }
  }

  /** Takes the name for another while; also when its lease was over and nobody else has it. */
  async renew(): Promise<void> {
    const isOurs = await insertLeases(this.#options, {
      wanted: this.#options.name,
      consumer: this.consumer,
      holder: this.#holder,
    })
    if (!isOurs && !this.#isShared)
      this.#logger.error(
        { consumer: this.consumer, alarm: 'consumer-name' },
        'another process took the consumer name while this one was silent: both go on, and do some work twice',
      )
    this.#isShared = !isOurs
    this.#shared.set(this.trouble() === undefined ? 0 : 1)
  }

  /** Frees the name. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#options.database.pool.query('delete from millrace_lease where holder = $1', [this.#holder])
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot free the consumer name: it is free once its lease is over')
    }
  }
}

interface Claim {
  /** What was asked for. */
  wanted: string
  consumer: string
  holder: string
}

type Place = Pick<Required<ConsumerLeaseOptions>, 'database' | 'groups' | 'leaseMs'>

/** False when somebody else has it, and is alive. */
async function takeName(place: Place, claim: Claim, signal: AbortSignal | undefined): Promise<boolean> {
  const seen = new Map<string, string>()
  for (;;) {
    signal?.throwIfAborted()
    if (await insertLeases(place, claim)) return true
    for (const { key, lease } of await readLeases(place, claim)) {
      // A lease that was renewed or given out while we looked has a living holder.
      if (seen.has(key) && seen.get(key) !== lease) return false
      seen.set(key, lease)
    }
    await sleep(Math.min(LOOK_MS, place.leaseMs / RENEWALS), signal)
  }
}

/** All groups, or none: one that is held by another gives the others back. */
async function insertLeases(
  { database, groups, leaseMs }: Place,
  { wanted, consumer, holder }: Claim,
): Promise<boolean> {
  const scopes = [...new Set(groups)].sort()
  class Held extends Error {}
  try {
    await database.transaction(async (client) => {
      const { rowCount } = await client.query(
        `insert into millrace_lease (scope, name, holder, expires_at, wanted)
         select scope, $2, $3, clock_timestamp() + make_interval(secs => $4), $5 from unnest($1::text[]) as scope order by scope
         on conflict (scope, name) do update set holder = excluded.holder, expires_at = excluded.expires_at, wanted = excluded.wanted,
           taken_at = case when millrace_lease.holder = excluded.holder then millrace_lease.taken_at else now() end
         where ${isGuarded('consumer-lease') ? 'millrace_lease.holder = excluded.holder or millrace_lease.expires_at < clock_timestamp()' : 'true'}`,
        [scopes, consumer, holder, leaseMs / 1_000, wanted],
      )
      if (rowCount !== scopes.length) throw new Held()
    })
    return true
  } catch (error) {
    if (error instanceof Held) return false
    throw error
  }
}

async function readLeases(
  { database, groups }: Place,
  { consumer, holder }: Claim,
): Promise<{ key: string; lease: string }[]> {
  const { rows } = await database.pool.query<{ key: string; lease: string }>(
    `select scope as key, holder || ' ' || expires_at as lease from millrace_lease
     where scope = any ($1::text[]) and name = $2 and holder <> $3`,
    [groups, consumer, holder],
  )
  return rows
}
