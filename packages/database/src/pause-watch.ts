import { noMeter, silentLogger, sleep, type Gauge, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'
import type { Database } from './open-database.ts'
import { pauseKinds, Pauses, type PauseKind } from './pauses.ts'

export interface PauseWatchOptions {
  database: Pick<Database, 'pool'>
  /** @default 2_000 */
  everyMs?: number
  logger?: Logger
  meter?: Meter
}

/** Warnings that the database does not answer are this far apart, in milliseconds. */
const WARN_MS = 60_000

/**
 * Knows what operators have paused. While the database does not answer, what was known last holds; a pause that has an
 * end is over by then all the same.
 */
export class PauseWatch implements Loop {
  readonly name = 'pause-watch'
  readonly #pauses: Pauses
  readonly #everyMs: number
  readonly #logger: Logger
  readonly #gauge: Gauge
  /** By kind and name: when it is over, by `performance.now`. */
  #until = new Map<string, number>()
  #warnAt = 0

  constructor({ database, everyMs = 2_000, logger = silentLogger, meter = noMeter }: PauseWatchOptions) {
    this.#pauses = new Pauses(database)
    this.#everyMs = everyMs
    this.#logger = logger.child({ component: this.name })
    this.#gauge = meter.gauge('millrace_pauses', 'Roles, groups, hosts and collections that operators have paused', [
      'kind',
    ])
  }

  /** Resolves with a watch that knows what is paused now: to be had before anything is begun. */
  static async open(options: PauseWatchOptions): Promise<PauseWatch> {
    const watch = new PauseWatch(options)
    await watch.look()
    return watch
  }

  /** Whether it is paused, by what was last read; asks nobody. */
  isPaused(kind: PauseKind, name: string): boolean {
    return this.leftMs(kind, name) > 0
  }

  /** Milliseconds until a pause is over: infinity for one without an end, 0 for what is not paused. */
  leftMs(kind: PauseKind, name: string): number {
    return Math.max(0, (this.#until.get(keyOf(kind, name)) ?? 0) - performance.now())
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#everyMs, signal)
      if (signal.aborted) return
      try {
        await this.look()
        this.#warnAt = 0
      } catch (error) {
        if (performance.now() < this.#warnAt) continue
        this.#warnAt = performance.now() + WARN_MS
        this.#logger.warn({ err: error }, 'cannot see what is paused now: going by what was')
      }
    }
  }

  /** Looks once, and takes away what is over. */
  async look(): Promise<void> {
    const askedAt = performance.now()
    const found = await this.#pauses.list()
    const before = this.#until
    this.#until = new Map(
      found.map(({ kind, name, leftMs }) => [
        keyOf(kind, name),
        leftMs === null ? Number.POSITIVE_INFINITY : askedAt + leftMs,
      ]),
    )
    for (const { kind, name, reason, who, until } of found)
      if (!before.has(keyOf(kind, name))) this.#logger.warn({ kind, name, reason, who, until }, 'paused')
    for (const key of before.keys()) if (!this.#until.has(key)) this.#logger.info({ target: key }, 'no longer paused')
    for (const kind of pauseKinds)
      this.#gauge.set(found.filter((pause) => pause.kind === kind && this.isPaused(kind, pause.name)).length, { kind })
    if (found.some(({ leftMs }) => leftMs !== null && leftMs <= 0)) await this.#pauses.clearOver()
  }
}

function keyOf(kind: PauseKind, name: string): string {
  return `${kind} ${name}`
}
