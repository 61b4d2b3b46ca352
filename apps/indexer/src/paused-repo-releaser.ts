import { releasePausedRepos, type Database } from '@millrace/database'
import { silentLogger, sleep, type Logger, type Loop } from '@millrace/stream-protocol'

export interface PausedRepoReleaserOptions {
  database: Pick<Database, 'pool'>
  /** @default 2_000 */
  everyMs?: number
  logger?: Logger
}

/** Has accounts fetched that were passed over, once their collection is no longer paused. Any number may run. */
export class PausedRepoReleaser implements Loop {
  readonly name = 'paused-repos'
  readonly #database: Pick<Database, 'pool'>
  readonly #everyMs: number
  readonly #logger: Logger

  constructor({ database, everyMs = 2_000, logger = silentLogger }: PausedRepoReleaserOptions) {
    this.#database = database
    this.#everyMs = everyMs
    this.#logger = logger.child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let released = 0
      try {
        released = await releasePausedRepos(this.#database)
        if (released > 0) this.#logger.info({ accounts: released }, 'accounts of a collection that goes on are fetched')
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot see now which accounts wait for a collection')
      }
      if (released === 0) await sleep(this.#everyMs, signal)
    }
  }
}
