import type { Database } from '@millrace/database'
import { noMeter, silentLogger, sleep, type Gauge, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'

export interface ClockWatchOptions {
  database: Pick<Database, 'pool'>
  /** How far all live events since the last question were of the future, in milliseconds; undefined without any. */
  eventLeadMs?: () => number | undefined
  /** @default 60_000 */
  everyMs?: number
  /** How far off our clock may be, in milliseconds. @default 120_000 */
  alarmMs?: number
  logger?: Logger
  meter?: Meter
  /** Our clock, in milliseconds since 1970. @default Date.now */
  now?: () => number
}

/**
 * Compares our clock with that of Postgres and with the times of live events, and says when it is off (hazard J13).
 * What is decided by it, such as whether a revision lies in the future, delays and loses nothing; but it should be right.
 */
export class ClockWatch implements Loop {
  readonly name = 'clock-watch'
  readonly #database: Pick<Database, 'pool'>
  readonly #eventLeadMs: () => number | undefined
  readonly #everyMs: number
  readonly #alarmMs: number
  readonly #logger: Logger
  readonly #skew: Gauge
  readonly #now: () => number

  constructor({
    database,
    eventLeadMs = () => undefined,
    everyMs = 60_000,
    alarmMs = 120_000,
    logger = silentLogger,
    meter = noMeter,
    now = Date.now,
  }: ClockWatchOptions) {
    this.#database = database
    this.#eventLeadMs = eventLeadMs
    this.#everyMs = everyMs
    this.#alarmMs = alarmMs
    this.#logger = logger.child({ component: this.name })
    this.#skew = meter.gauge(
      'millrace_clock_skew_seconds',
      'How far our clock is ahead of another one; below 0, behind',
      ['against'],
    )
    for (const against of ['postgres', 'events']) this.#skew.set(0, { against })
    this.#now = now
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#compareWithPostgres()
      // Events that are late say nothing: they may have waited. When all are of the future, we are behind.
      this.#tell('events', -Math.max(0, this.#eventLeadMs() ?? 0), 0)
      await sleep(this.#everyMs, signal)
    }
  }

  async #compareWithPostgres(): Promise<void> {
    try {
      const before = this.#now()
      const { rows } = await this.#database.pool.query<{ ms: number }>(
        'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
      )
      const after = this.#now()
      // The answer was given at some moment between the two.
      this.#tell('postgres', (before + after) / 2 - rows[0]!.ms, (after - before) / 2)
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot compare our clock with that of Postgres')
    }
  }

  #tell(against: 'postgres' | 'events', skewMs: number, uncertainMs: number): void {
    this.#skew.set(skewMs / 1_000, { against })
    if (Math.abs(skewMs) - uncertainMs <= this.#alarmMs) return
    this.#logger.error(
      { against, skewSeconds: Math.round(skewMs / 1_000), alarm: 'clock-skew' },
      'our clock is off: set it by a time server',
    )
  }
}
