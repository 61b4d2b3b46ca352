import {
  Backoff,
  noMeter,
  silentLogger,
  sleep,
  type BackoffOptions,
  type Counter,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import type { AlarmBook } from './alarm-book.ts'
import type { Webhook } from './webhook.ts'
import { webhookMessage } from './webhook-message.ts'

export interface WebhookLoopOptions {
  webhook: Webhook
  book: Pick<AlarmBook, 'due' | 'told'>
  /** The name of the pipeline to those who are told. */
  from: string
  /** Between two looks at what is due. @default 1_000 */
  everyMs?: number
  /** Between two tries of one that does not answer. @default { minMs: 5_000, maxMs: 300_000 } */
  backoff?: BackoffOptions
  logger?: Logger
  meter?: Meter
}

/**
 * Tells one webhook what is due, all of it in one message, until it has taken it. Each has a loop of its own: one that
 * does not answer holds up neither the others nor the server. What has begun and ended meanwhile it is not told.
 */
export class WebhookLoop implements Loop {
  readonly name: string
  readonly #options: Required<Omit<WebhookLoopOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #deliveries: Counter
  readonly #failing: Gauge

  constructor({
    webhook,
    book,
    from,
    everyMs = 1_000,
    backoff = { minMs: 5_000, maxMs: 300_000 },
    logger = silentLogger,
    meter = noMeter,
  }: WebhookLoopOptions) {
    this.#options = { webhook, book, from, everyMs, backoff }
    this.name = `alerts to ${webhook.name}`
    this.#logger = logger.child({ component: 'alarms', webhook: webhook.name })
    this.#deliveries = meter.counter('millrace_alert_deliveries_total', 'Messages to webhooks', ['outcome'])
    this.#failing = meter.gauge('millrace_alert_webhook_failing', '1 while a webhook does not take its messages', [
      'webhook',
    ])
    for (const outcome of ['ok', 'failed']) this.#deliveries.add(0, { outcome })
    this.#failing.set(0, { webhook: webhook.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    const { webhook, book, from, everyMs, backoff } = this.#options
    const pauses = new Backoff(backoff)
    while (!signal.aborted) {
      const now = Date.now()
      const notices = book.due(webhook.name, now)
      if (notices.length === 0) {
        await sleep(everyMs, signal)
        continue
      }
      // Being stopped does not cut it off: whether it was taken would not be known, and it would be told again.
      const delivery = await webhook.send(webhookMessage(webhook.url, notices, { from, now }))
      this.#deliveries.add(1, { outcome: delivery.isDelivered ? 'ok' : 'failed' })
      this.#failing.set(delivery.isDelivered ? 0 : 1, { webhook: webhook.name })
      if (delivery.isDelivered) {
        pauses.reset()
        await book.told(webhook.name, notices)
      } else {
        this.#logger.warn({ why: delivery.why }, 'a webhook does not take what it is to be told: trying again')
        await sleep(Math.max(pauses.nextMs(), delivery.waitMs ?? 0), signal)
      }
    }
  }
}
