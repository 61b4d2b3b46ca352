import { AdminError, type AdminApi, type AdminMethod, type InputOf, type OutputOf } from '@millrace/admin-api'
import { withVisibleTexts } from '../words/visible-text.ts'

/** What is known of an answer. A failure leaves the last good one. */
export interface Answer<T> {
  value?: T | undefined
  /** Milliseconds since 1970 at which `value` was had. */
  at?: number | undefined
  /** Why there is no newer one. */
  failure?: Failure | undefined
}

export interface Failure {
  /** As in the lexicon; absent when nobody has answered. */
  error?: string | undefined
  message: string
  isUnauthorized: boolean
}

/** Whether somebody looks, and word when that changes. */
interface Attention {
  isThere(): boolean
  onChange(listener: () => void): void
}

export interface AnswersOptions {
  api: AdminApi
  attention: Attention
  /** @default the clock */
  now?: () => number
}

interface Watched {
  answer: Answer<unknown>
  ask: () => Promise<unknown>
  listeners: Map<() => void, number>
  timer?: ReturnType<typeof setTimeout> | undefined
  isAsking: boolean
}

/**
 * The newest answers of the admin methods that something on the page shows, asked for again and again as long as it is
 * shown and somebody looks. Who shows the same shares one answer. Every text in it is made visible, in this one place.
 */
export class Answers {
  readonly #options: Required<AnswersOptions>
  readonly #watched = new Map<string, Watched>()

  constructor({ now = Date.now, ...rest }: AnswersOptions) {
    this.#options = { ...rest, now }
    this.#options.attention.onChange(() => {
      for (const watched of this.#watched.values()) if (watched.listeners.size > 0) void this.#ask(watched)
    })
  }

  peek<Name extends AdminMethod>(name: Name, input: InputOf<Name>): Answer<OutputOf<Name>> {
    return (this.#watched.get(keyOf(name, input))?.answer ?? {}) as Answer<OutputOf<Name>>
  }

  /** @returns what ends it. */
  watch<Name extends AdminMethod>(name: Name, input: InputOf<Name>, everyMs: number, listener: () => void): () => void {
    const watched = this.#entry(name, input)
    watched.listeners.set(listener, everyMs)
    void this.#ask(watched)
    return () => {
      watched.listeners.delete(listener)
      if (watched.listeners.size === 0) clearTimeout(watched.timer)
    }
  }

  /** Asks at once for everything that is shown: something was changed. */
  async refresh(): Promise<void> {
    await Promise.all(
      [...this.#watched.values()].filter(({ listeners }) => listeners.size > 0).map((w) => this.#ask(w)),
    )
  }

  /** A change, or a question that is asked once. @throws {AdminError} */
  async call<Name extends AdminMethod>(name: Name, input: InputOf<Name>): Promise<OutputOf<Name>> {
    return withVisibleTexts(await this.#options.api.call(name, input))
  }

  #entry<Name extends AdminMethod>(name: Name, input: InputOf<Name>): Watched {
    const key = keyOf(name, input)
    const known = this.#watched.get(key)
    if (known) return known
    const watched: Watched = {
      answer: {},
      ask: () => this.call(name, input),
      listeners: new Map(),
      isAsking: false,
    }
    this.#watched.set(key, watched)
    return watched
  }

  async #ask(watched: Watched): Promise<void> {
    clearTimeout(watched.timer)
    if (watched.isAsking || !this.#options.attention.isThere()) return
    watched.isAsking = true
    try {
      watched.answer = { value: await watched.ask(), at: this.#options.now() }
    } catch (error) {
      watched.answer = { ...watched.answer, failure: failureOf(error) }
    }
    watched.isAsking = false
    const everyMs = Math.min(...watched.listeners.values())
    if (Number.isFinite(everyMs)) watched.timer = setTimeout(() => void this.#ask(watched), everyMs)
    for (const listener of watched.listeners.keys()) listener()
  }
}

function keyOf(name: string, input: object): string {
  return `${name} ${JSON.stringify(input)}`
}

/** What went wrong, to be shown. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof AdminError)) return { message: 'The admin server does not answer.', isUnauthorized: false }
  return {
    error: withVisibleTexts(error.error),
    message: withVisibleTexts(error.message),
    isUnauthorized: error.status === 401,
  }
}
