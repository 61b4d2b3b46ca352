import { isTemporaryStatus } from '@millrace/identity'
import type { HostAnswer, HostPacer, HostRequest } from './host-pacer.ts'
import type { HostPlace } from './host-places.ts'

export interface RepoTurnsOptions {
  pacer: HostPacer
  /** See `HostPacer.take`. */
  priority: number
  /** @default Date.now */
  now?: () => number
}

/** The turns and the places of one repo at the hosts that it is asked for. What is not used in the end is given back. */
export class RepoTurns implements AsyncDisposable {
  readonly #pacer: HostPacer
  readonly #priority: number
  readonly #now: () => number
  readonly #reserved = new Map<string, HostPlace>()
  /** What each host was asked, of those that nothing has come of yet. */
  readonly #asked = new Map<string, HostRequest & { place: HostPlace }>()

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
    if (!this.#reserved.has(host)) this.#reserved.set(host, await this.#takeTurn(host))
  }

  /** @throws {HostBusyError} */
  async take(host: string): Promise<void> {
    const place = this.#reserved.get(host) ?? (await this.#takeTurn(host))
    this.#reserved.delete(host)
    this.#end(host)
    this.#asked.set(host, { askedAt: this.#now(), place })
  }

  /** Has the pacer learn from an answer, and frees the place of a host that will send nothing more. */
  async answered(host: string, answer: HostAnswer): Promise<void> {
    await this.#pacer.answered(host, this.#requestAt(host), answer)
    // A failure is told, and nothing more will come of it.
    if (isTemporaryStatus(answer.status)) this.#end(host)
    // Nor of who sends on, but for the word that all was well.
    else if (answer.status !== 200) this.#asked.get(host)?.place[Symbol.dispose]()
  }

  /** The answer did not come, or not to its end. */
  async broke(host: string): Promise<void> {
    const request = this.#requestAt(host)
    this.#end(host)
    await this.#pacer.failed(host, request)
  }

  /** All that was asked was answered, to the end. */
  async done(): Promise<void> {
    for (const [host, request] of this.#asked) {
      this.#end(host)
      await this.#pacer.succeeded(host, request)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [host, place] of this.#reserved) {
      place[Symbol.dispose]()
      await this.#pacer.giveBack(host)
    }
    this.#reserved.clear()
    // Whatever it was that they said, they are there.
    await this.done()
  }

  async #takeTurn(host: string): Promise<HostPlace> {
    const place = this.#pacer.place(host)
    try {
      await this.#pacer.take(host, this.#priority)
      return place
    } catch (error) {
      place[Symbol.dispose]()
      throw error
    }
  }

  #end(host: string): void {
    this.#asked.get(host)?.place[Symbol.dispose]()
    this.#asked.delete(host)
  }

  #requestAt(host: string): HostRequest {
    return this.#asked.get(host) ?? { askedAt: this.#now() }
  }
}
