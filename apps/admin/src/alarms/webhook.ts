import { createHash } from 'node:crypto'
import { retryAfterMs } from '@millrace/identity'
import { describeError } from '@millrace/runtime'

/** What came of a message. */
export type Delivery =
  | { isDelivered: true }
  | {
      isDelivered: false
      /** Without the URL, which is a secret (hazard M9). */
      why: string
      /** How long the receiver asks to be left alone. */
      waitMs?: number | undefined
    }

const TIMEOUT_MS = 10_000

/**
 * Where an operator wants to be told. Its URL is the operator's own, and may be of this network: it is not asked through
 * the guard against hosts of strangers, and no redirect is followed.
 */
export class Webhook {
  readonly url: URL
  /** Tells it from others without giving it away. */
  readonly name: string
  readonly #authorization: string | undefined
  readonly #timeoutMs: number

  constructor(url: string, { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {}) {
    this.url = new URL(url)
    this.name = `${this.url.host} ${createHash('sha256').update(url).digest('hex').slice(0, 8)}`
    const { username, password } = this.url
    if (username !== '' || password !== '') {
      const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
      this.#authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
      this.url.username = ''
      this.url.password = ''
    }
    this.#timeoutMs = timeoutMs
  }

  /** Never rejects. */
  async send(message: object): Promise<Delivery> {
    return await this.#ask('POST', message)
  }

  /** Asks for it, as a dead-man switch wants it. Never rejects. */
  async ping(): Promise<Delivery> {
    return await this.#ask('GET')
  }

  async #ask(method: 'GET' | 'POST', message?: object): Promise<Delivery> {
    try {
      // oxlint-disable-next-line no-restricted-globals -- the operator names it, and no stranger
      const response = await fetch(this.url, {
        method,
        headers: {
          ...(message && { 'content-type': 'application/json' }),
          'user-agent': 'millrace',
          ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        },
        ...(message && { body: JSON.stringify(message) }),
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      await response.body?.cancel()
      if (response.ok) return { isDelivered: true }
      return { isDelivered: false, why: `it answers ${response.status}`, waitMs: retryAfterMs(response.headers) }
    } catch (error) {
      return { isDelivered: false, why: describeError(error) }
    }
  }
}
