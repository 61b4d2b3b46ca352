import {
  backfillerReports,
  BackfillQueue,
  type BackfillerReport,
  type Database,
  type PostgresState,
} from '@millrace/database'
import type { RepoBackfiller } from '@millrace/repo-backfill'
import { silentLogger, sleep, type Logger, type Loop, type StreamStore } from '@millrace/stream-protocol'

export interface BackfillReporterOptions {
  database: Database
  store: StreamStore
  stream: string
  /** Name of this backfiller. */
  name: string
  /** Fetches what nobody waits for: paused when an operator says so. */
  backfiller: RepoBackfiller
  /** Everything else that fetches repos here. */
  others?: readonly RepoBackfiller[]
  /** @default 5_000 */
  everyMs?: number
  logger?: Logger
}

const RATE_MS = 60_000

/** Tells how far a backfiller is, and has it do what operators have said (see `BackfillQueue`). */
export class BackfillReporter implements Loop {
  readonly name = 'backfill-reporter'
  readonly #options: BackfillReporterOptions
  readonly #queue: BackfillQueue
  readonly #reports: PostgresState<BackfillerReport>
  readonly #logger: Logger

  constructor(options: BackfillReporterOptions) {
    this.#options = options
    this.#queue = new BackfillQueue(options.database)
    this.#reports = backfillerReports(options.database)
    this.#logger = (options.logger ?? silentLogger).child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = 5_000 } = this.#options
    while (!signal.aborted) {
      try {
        await this.report()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot say how far the backfill is')
      }
      await sleep(everyMs, signal)
    }
  }

  async report(): Promise<void> {
    const { backfiller, others = [], store, stream, name } = this.#options
    backfiller.setPaused(await this.#queue.isPaused())
    const [status] = await store.status([stream])
    const all = [backfiller, ...others].map((each) => each.status())
    const sum = (count: (status: (typeof all)[number]) => number): number =>
      all.reduce((total, each) => total + count(each), 0)
    const now = {
      left: status?.length ?? 0,
      running: sum(({ running }) => running),
      retrying: sum(({ retrying }) => retrying),
      finished: sum(({ done, failed }) => done + failed),
    }
    await this.#reports.change(name, (before, at) => [
      { ...now, at, perSecond: rateOf(before, now.finished, at) },
      null,
    ])
  }
}

/** An average in which what is a minute old counts little. */
export function rateOf(before: BackfillerReport | undefined, finished: number, at: number): number {
  // It was started anew since, or was away for long: what it did before says nothing.
  if (!before || finished < before.finished || at - before.at > RATE_MS) return 0
  const ms = Math.max(1, at - before.at)
  const latest = ((finished - before.finished) * 1_000) / ms
  const weight = before.perSecond === 0 ? 1 : 1 - Math.exp(-ms / (RATE_MS / 2))
  return before.perSecond + weight * (latest - before.perSecond)
}
