import { hastened } from '@millrace/failpoints'
import { cutToBytes, lockKey, storableText, type Database } from '@millrace/database'
import {
  noMeter,
  silentLogger,
  sleep,
  TokenBucket,
  type Counter,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { requestIdentities } from './apply/write-effects.ts'

export interface LookUpOptions {
  signal: AbortSignal
  /** What is known already may be old: somebody says that it changed, or it is looked at again. */
  fresh: boolean
  /** Nobody waits for it: others that share a host go first. */
  patient: boolean
}

/**
 * Looks up the handle of an account: the handle where DID document and handle agree, null where they do not or the
 * account is gone. Rejects when that cannot be told now (hazard D1).
 *
 * The error may say in `retryAfterMs` how long asking again is useless, and with `wasAsked: false` that nobody was
 * asked, because a host has enough to do: then it is no failure.
 */
export type ResolveHandle = (did: string, options: LookUpOptions) => Promise<string | null>

export interface HandleRefresherOptions {
  database: Database
  resolve: ResolveHandle
  /** Look-ups at a time. @default 50 */
  concurrency?: number
  /** Look-ups that begin in a second; of those nobody asked for, a tenth. @default 100 */
  perSecond?: number
  /** After this time a handle is looked at again although nothing was heard of it. Infinity for never. @default 24 h */
  recheckMs?: number
  /**
   * Pause after a look-up that an event asked for, in which no other event leads to one of the same account. It doubles
   * from one to the next while they keep coming. @default { minMs: 1_000, maxMs: 300_000 }
   */
  quiet?: { minMs: number; maxMs: number }
  /** Longest look-up, in milliseconds. @default 20_000 */
  timeoutMs?: number
  /** Pause when nothing is due, in milliseconds. @default 1_000 */
  idleMs?: number
  logger?: Logger
  meter?: Meter
  /** Milliseconds that only rise: for the rate. @default performance.now */
  now?: () => number
}

/** A request that was taken. Times are text as Postgres writes it: a JavaScript date would lose its microseconds. */
interface Request {
  did: string
  requestedAt: string
  /** When this look-up began. */
  startedAt: string
  forced: boolean
  isNew: boolean
  /** This look-up included. */
  attempts: number
  /** Pause after it, in seconds, and how many there were in a row. */
  quietSeconds: number
  burst: number
}

/** What a look-up is for: an event asked for it, the account is new, or it was long ago. Ordered by what matters most. */
const kinds = { forced: 0, fresh: 1, again: 2 } as const
/** Whose turn it is: each kind gets its share, and what another one does not need. */
const turns = [kinds.forced, kinds.fresh, kinds.forced, kinds.fresh, kinds.forced, kinds.again] as const

/** A killed process keeps its requests this much longer than a look-up may take. */
const LEASE_MARGIN_MS = 5_000
/** Handles that do not hold are looked at again after an hour first, later each time. */
const NONE_MS = 3_600_000
/** Most that are counted. */
const MANY = 100_000

/**
 * Keeps `actor.handle` true, beside the records' way: requests wait in `millrace_identity`, so that none is lost and
 * none holds up a record (hazard D12). Several processes share the work, each within its own limits.
 *
 * However many events there are, an account is looked up once at a time, and with growing pauses; all together not
 * faster than the rate (hazard D4). A look-up that takes long holds one place and nobody else's (hazard S16).
 */
export class HandleRefresher implements Loop {
  readonly name = 'handle-refresher'
  readonly #database: Database
  readonly #resolve: ResolveHandle
  readonly #options: Required<
    Pick<HandleRefresherOptions, 'concurrency' | 'recheckMs' | 'quiet' | 'timeoutMs' | 'idleMs'>
  >
  readonly #rate: TokenBucket
  readonly #recheckRate: TokenBucket
  readonly #logger: Logger
  readonly #results: Counter
  readonly #underWay: Gauge
  #turn = 0

  constructor({
    database,
    resolve,
    concurrency = 50,
    perSecond = 100,
    recheckMs = 24 * 3_600_000,
    quiet = { minMs: 1_000, maxMs: hastened(300_000) },
    timeoutMs = 20_000,
    idleMs = 1_000,
    logger = silentLogger,
    meter = noMeter,
    now = () => performance.now(),
  }: HandleRefresherOptions) {
    this.#database = database
    this.#resolve = resolve
    this.#options = { concurrency, recheckMs, quiet, timeoutMs, idleMs }
    this.#rate = new TokenBucket({ perSecond, now })
    this.#recheckRate = new TokenBucket({ perSecond: perSecond / 10, now })
    this.#logger = logger.child({ component: this.name })
    this.#results = meter.counter('millrace_handle_lookups_total', 'Look-ups of handles, by result', ['result'])
    for (const result of ['verified', 'none', 'failed', 'postponed']) this.#results.add(0, { result })
    this.#underWay = meter.gauge('millrace_handle_lookups_taken', 'Look-ups under way')
    this.#underWay.set(0)
  }

  async run(signal: AbortSignal): Promise<void> {
    const atWork = new Set<Promise<void>>()
    while (!signal.aborted) {
      const free = Math.min(this.#options.concurrency - atWork.size, this.#rate.available)
      const taken = free > 0 ? await this.#take(free) : []
      for (const request of taken) {
        const work: Promise<void> = this.#refresh(request, signal).finally(() => {
          atWork.delete(work)
          this.#underWay.set(atWork.size)
        })
        atWork.add(work)
      }
      this.#underWay.set(atWork.size)
      if (atWork.size >= this.#options.concurrency) await Promise.race(atWork)
      else if (taken.length < free) await sleep(this.#options.idleMs, signal)
      else await sleep(this.#rate.waitMs, signal)
    }
    await Promise.all(atWork)
  }

  /** How many look-ups wait that are not mere second looks, due or not; beyond 100,000 they are not counted. */
  async pending(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      `select count(*) as count from (
        (select from millrace_identity where forced limit $1)
        union all (select from millrace_identity where not forced and checked_at is null limit $1)
      ) as waiting`,
      [MANY],
    )
    return Math.min(MANY, rows[0]!.count)
  }

  /** A request that is taken comes back by itself if we die over it. */
  async #take(count: number): Promise<Request[]> {
    const shares = this.#shares(count)
    const { timeoutMs, quiet } = this.#options
    const [leaseSeconds, quietSeconds, quietest] = [timeoutMs + LEASE_MARGIN_MS, quiet.minMs, quiet.maxMs].map(
      (ms) => ms / 1_000,
    )
    try {
      const { rows } = await this.#database.pool.query<Request & { kind: number }>({
        name: 'millrace_take_identities',
        text: takeIdentities,
        values: [count, Math.min(count, this.#recheckRate.available), ...shares, leaseSeconds, quietSeconds, quietest],
      })
      this.#turn = (this.#turn + rows.length) % turns.length
      this.#rate.take(rows.length)
      this.#recheckRate.take(rows.filter(({ kind }) => kind === kinds.again).length)
      return rows
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read which handles to look up')
      return []
    }
  }

  /** How many of the next look-ups each kind has a right to. */
  #shares(count: number): number[] {
    const shares = [0, 0, 0]
    for (let i = 0; i < count; i++) shares[turns[(this.#turn + i) % turns.length]!]! += 1
    return shares
  }

  async #refresh(request: Request, signal: AbortSignal): Promise<void> {
    const { did, forced, isNew } = request
    const end = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)])
    try {
      const lookUp = this.#resolve(did, { signal: end, fresh: forced || !isNew, patient: !forced })
      const handle = await unlessAborted(lookUp, end)
      await this.#store(request, handle)
      this.#results.add(1, { result: handle === null ? 'none' : 'verified' })
    } catch (error) {
      await this.#failed(request, error as LookUpError, signal)
    }
  }

  /** One transaction, the handle locked by name: of two accounts that claim it, the one verified last has it (hazard D5). */
  async #store(request: Request, handle: string | null): Promise<void> {
    const { did, startedAt } = request
    await this.#database.transaction(async (client) => {
      if (handle !== null) await client.query('select pg_advisory_xact_lock($1)', [lockKey('handle', handle)])
      // First accounts, then requests, as events lock them, and both in the order of their DIDs: two that swap handles
      // would wait for each other.
      const actors = await client.query<{ did: string }>(
        'select did from actor where did = $1 or handle = $2 order by did for update',
        [did, handle],
      )
      const requests = await client.query<{ did: string; isAnswered: boolean }>(
        'select did, coalesce(checked_at > $2, false) as "isAnswered" from millrace_identity where did = any ($1::text[]) order by did for update',
        [[did, ...actors.rows.map((actor) => actor.did)], startedAt],
      )
      // The account is gone, or a look-up that began later was faster.
      if (requests.rows.find((row) => row.did === did)?.isAnswered !== false) return
      if (handle !== null) {
        // Whoever had it is looked up again: it may have moved on to another one.
        const former = await client.query<{ did: string }>(
          'update actor set handle = null where handle = $1 and did <> $2 returning did',
          [handle, did],
        )
        const again = requestIdentities(former.rows.map((actor) => actor.did))
        if (again) await client.query(again)
      }
      await client.query('update actor set handle = $2 where did = $1 and handle is distinct from $2', [did, handle])
      await client.query(answerIdentity, [...placeOf(request), handle !== null, this.#againSeconds(request, handle)])
    })
  }

  /** Null for never. */
  #againSeconds({ attempts }: Request, handle: string | null): number | null {
    const { recheckMs } = this.#options
    if (recheckMs === Number.POSITIVE_INFINITY) return null
    return (handle === null ? Math.min(recheckMs, NONE_MS * 2 ** (attempts - 1)) : recheckMs) / 1_000
  }

  async #failed(request: Request, error: LookUpError, signal: AbortSignal): Promise<void> {
    const { did } = request
    try {
      // What we break off because we are stopped is due again at once.
      if (signal.aborted) return await this.#postpone(did, 0)
      if (error.wasAsked === false) {
        this.#results.add(1, { result: 'postponed' })
        return await this.#postpone(did, error.retryAfterMs ?? 0)
      }
      this.#results.add(1, { result: 'failed' })
      this.#logger.debug({ err: error, did }, 'cannot look up a handle now')
      const message = cutToBytes(storableText(error.message), 500)
      await this.#database.pool.query(failIdentity, [...placeOf(request), message, retrySeconds(request, error)])
    } catch (failure) {
      // The lease ends by itself, and the look-up is tried again.
      this.#logger.warn({ err: failure, did }, 'cannot note a look-up that failed')
    }
  }

  async #postpone(did: string, ms: number): Promise<void> {
    await this.#database.pool.query(postponeIdentity, [did, ms / 1_000])
  }
}

/** What an error of a look-up may say: see {@link ResolveHandle}. */
type LookUpError = Error & { retryAfterMs?: number; wasAsked?: boolean }

/** Longer each time, up to a day, and with a random part. */
function retrySeconds({ attempts }: Request, { retryAfterMs = 0 }: LookUpError): number {
  const seconds = Math.min(86_400, 5 * 2 ** Math.min(attempts, 14)) * (0.5 + Math.random() / 2)
  return Math.max(retryAfterMs / 1_000, seconds)
}

/** The first values of the statements that end a look-up. */
function placeOf({ did, startedAt, requestedAt, burst, quietSeconds }: Request): unknown[] {
  return [did, startedAt, requestedAt, burst, quietSeconds]
}

const repeatedBurst = 'case when t.repeated then least(i.burst + 1, 30) else 0 end'

/** Each kind gets its share of the places, and those that are left over go to what matters most. */
const takeIdentities = `
  with due as (
    (select did, ${kinds.forced} as kind, row_number() over (order by next_at) > $3 as extra
      from millrace_identity where forced and next_at <= now() order by next_at limit $1)
    union all
    (select did, ${kinds.fresh}, row_number() over (order by next_at) > $4
      from millrace_identity where not forced and checked_at is null and next_at <= now() order by next_at limit $1)
    union all
    (select did, ${kinds.again}, row_number() over (order by next_at) > $5
      from millrace_identity where not forced and checked_at is not null and next_at <= now() order by next_at limit $2)
  ), chosen as (
    select did, kind from due order by extra, kind limit $1
  ), taken as (
    select r.did, chosen.kind, coalesce(r.asked_at > now() - 2 * make_interval(secs => $8::float8), false) as repeated
    from millrace_identity r join chosen on chosen.did = r.did
    where r.next_at <= now() order by r.did for update of r skip locked
  )
  update millrace_identity i set
    next_at = now() + make_interval(secs => $6::float8),
    quiet_until = now() + make_interval(secs => $6::float8),
    attempts = i.attempts + 1
  from taken t
  where i.did = t.did
  returning i.did, i.requested_at::text as "requestedAt", clock_timestamp()::text as "startedAt", i.forced, i.attempts, t.kind,
    i.checked_at is null as "isNew",
    case when i.forced then ${repeatedBurst} else i.burst end as burst,
    case when i.forced then least($8::float8, $7::float8 * 2 ^ (${repeatedBurst})) else 0 end as "quietSeconds"`

const endLookUp = 'asked_at = $2, burst = $4, quiet_until = $2::timestamptz + make_interval(secs => $5::float8)'
/** A request that came while we asked stays: it may know of something newer. */
const nextAt = (otherwise: string): string =>
  `next_at = case when requested_at <> $3 then greatest(now(), $2::timestamptz + make_interval(secs => $5::float8)) else ${otherwise} end`

const answerIdentity = `
  update millrace_identity set ${endLookUp}, checked_at = $2, last_error = null,
    forced = forced and requested_at <> $3,
    attempts = case when $6::boolean then 0 else attempts end,
    ${nextAt(`case when $7::float8 is null then 'infinity' else now() + make_interval(secs => $7::float8 * (0.75 + random() / 2)) end`)}
  where did = $1`

const failIdentity = `
  update millrace_identity set ${endLookUp}, last_error = $6, ${nextAt('now() + make_interval(secs => $7::float8)')}
  where did = $1`

/** Nobody was asked: as if it had not been taken, but for the time. */
const postponeIdentity = `
  update millrace_identity set quiet_until = now(), attempts = greatest(attempts - 1, 0), next_at = now() + make_interval(secs => $2::float8)
  where did = $1`

/** What comes later than that is nobody's, and fails unheard. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
