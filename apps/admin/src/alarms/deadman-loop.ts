import { valueOf, type DeclaredStream, type DoctorFacts, type ProblemWatch } from '@millrace/diagnosis'
import { silentLogger, sleep, type Logger, type Loop } from '@millrace/stream-protocol'
import type { Webhook } from './webhook.ts'

/** A look that is older says nothing of the present. */
const STALE_MS = 120_000

/**
 * Why not every group that has to be at work is, if so: the store does not answer, nobody has looked lately, or a group
 * is missing, slow, or acks nothing. A group that has never been needed is no fault.
 */
export function whyNotAtWork(
  facts: DoctorFacts | undefined,
  declared: readonly DeclaredStream[],
  now: number,
): string | undefined {
  if (!facts || now - facts.now > STALE_MS) return 'nobody has looked lately'
  const store = valueOf(facts.store)
  if (!store) return 'the store of streams does not answer'
  for (const { stream, group } of declared) {
    const verdict = store.judged.find((judged) => judged.stream === stream && judged.group === group)?.verdict
    if (verdict === 'ok' || verdict === 'idle') continue
    const length = store.streams.find((status) => status.stream === stream)?.length ?? 0
    if (verdict !== undefined || length > 0) return `${group} of ${stream} is ${verdict ?? 'missing'}`
  }
  return store.judged.length > 0 ? undefined : 'no group has ever read'
}

export interface DeadmanLoopOptions {
  /** Somebody else's, who raises an alarm when he is not asked. */
  url: Webhook
  watch: Pick<ProblemWatch, 'last'>
  declared: readonly DeclaredStream[]
  /** @default 60_000 */
  everyMs?: number
  logger?: Logger
}

/**
 * Asks for a URL every minute, only while every group that has to be at work is: whoever waits for that hears of it too
 * when this process, its machine or its network is gone.
 */
export class DeadmanLoop implements Loop {
  readonly name = 'dead-man'
  readonly #options: Required<Omit<DeadmanLoopOptions, 'logger'>>
  readonly #logger: Logger

  constructor({ url, watch, declared, everyMs = 60_000, logger = silentLogger }: DeadmanLoopOptions) {
    this.#options = { url, watch, declared, everyMs }
    this.#logger = logger.child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { url, watch, declared, everyMs } = this.#options
    while (!signal.aborted) {
      const why = whyNotAtWork(watch.last?.facts, declared, Date.now())
      if (why === undefined) {
        const delivery = await url.ping()
        if (!delivery.isDelivered) this.#logger.warn({ why: delivery.why }, 'the dead-man URL does not answer')
      } else {
        this.#logger.info({ why }, 'the dead-man URL is not asked for')
      }
      await sleep(everyMs, signal)
    }
  }
}
