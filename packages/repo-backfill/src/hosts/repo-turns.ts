import { isTemporaryStatus } from '@millrace/identity'
import type { HostAnswer, HostPacer } from './host-pacer.ts'

export interface RepoTurnsOptions {
  pacer: HostPacer
  /** See `HostPacer.take`. */
  priority: number
  /** @default Date.now */
  now?: () => number
}

/** The turns of one repo at the hosts that it is asked for. What is not used in the end is given back. */
export class RepoTurns implements AsyncDisposable {
  readonly #pacer: HostPacer
  readonly #priority: number
  readonly #now: () => number
  readonly #reserved = new Set<string>()
  /** When each host was asked, of those that nothing has come of yet. */
  readonly #asked = new Map<string, number>()

  constructor({ pacer, priority, now = Date.now }: RepoTurnsOptions) {
    this.#pacer = pacer
    this.#priority = priority
    this.#now = now
  }

  /**
   * Takes the turn at a host that we shall be sent on to: who cannot be served there need not ask where he is.
   * @throws {HostBusyError}
   */
  async reserve(host: string): Promise<void> {
    if (this.#reserved.has(host)) return
    await this.#pacer.take(host, this.#priority)
    this.#reserved.add(host)
  }

  /** @throws {HostBusyError} */
  async take(host: string): Promise<void> {
    if (!this.#reserved.delete(host)) await this.#pacer.take(host, this.#priority)
    this.#asked.set(host, this.#now())
  }

  async answered(host: string, answer: HostAnswer): Promise<void> {
    await this.#pacer.answered(host, this.#askedAt(host), answer)
    // A failure is told, and nothing more will come of it.
    if (isTemporaryStatus(answer.status)) this.#asked.delete(host)
  }

  /** The answer did not come, or not to its end. */
  async broke(host: string): Promise<void> {
    const askedAt = this.#askedAt(host)
    this.#asked.delete(host)
    await this.#pacer.failed(host, askedAt)
  }

  /** All that was asked was answered, to the end. */
  async done(): Promise<void> {
    for (const [host, askedAt] of this.#asked) await this.#pacer.succeeded(host, askedAt)
    this.#asked.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.#reserved) await this.#pacer.giveBack(host)
    this.#reserved.clear()
    // Whatever it was that they said, they are there.
    await this.done()
  }

  #askedAt(host: string): number {
    return this.#asked.get(host) ?? this.#now()
  }
}
