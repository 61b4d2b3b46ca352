import {
  noMeter,
  silentLogger,
  sleep,
  type Counter,
  type Logger,
  type Loop,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'

export interface ConsumerJanitorOptions {
  store: Pick<StreamStore, 'removeIdleConsumers'>
  /** The groups that this process reads in. */
  groups: readonly { stream: string; group: string }[]
  /** Time without a sign of life after which a consumer is forgotten, in milliseconds. @default 24 hours */
  idleMs?: number
  /** @default 1 hour */
  everyMs?: number
  logger?: Logger
  meter?: Meter
}

/**
 * Forgets consumers that are gone: every name that a process once had stays in its group otherwise. One that has entries
 * pending is kept until others have taken them over (hazard S9).
 */
export class ConsumerJanitor implements Loop {
  readonly name = 'consumer janitor'
  readonly #options: Required<Omit<ConsumerJanitorOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #removed: Counter

  constructor({
    idleMs = 86_400_000,
    everyMs = 3_600_000,
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: ConsumerJanitorOptions) {
    this.#options = { ...rest, idleMs, everyMs }
    this.#logger = logger.child({ component: 'consumer-janitor' })
    this.#removed = meter.counter('millrace_stream_consumers_removed_total', 'Consumers that were gone and forgotten', [
      'stream',
      'group',
    ])
    for (const labels of rest.groups) this.#removed.add(0, labels)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.clean()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot look for consumers that are gone now')
      }
      await sleep(this.#options.everyMs, signal)
    }
  }

  /** One look at every group. */
  async clean(): Promise<void> {
    const { store, groups, idleMs } = this.#options
    for (const { stream, group } of groups) {
      const removed = await store.removeIdleConsumers(stream, group, idleMs)
      if (removed.length === 0) continue
      this.#removed.add(removed.length, { stream, group })
      this.#logger.info({ stream, group, consumers: removed.slice(0, 20), count: removed.length }, 'forgot consumers')
    }
  }
}
