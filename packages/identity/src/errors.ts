/** A URL that a stranger named and that is not asked: its scheme, form or address is not allowed. Asking again is useless. */
export class BlockedHostError extends Error {
  override readonly name = 'BlockedHostError'
  readonly url: string

  constructor(url: string, why: string) {
    super(`will not fetch ${url.slice(0, 300)}: ${why}`)
    this.url = url
  }
}

/** An answer beyond a limit. Asking again would give the same. */
export class ResponseLimitError extends Error {
  override readonly name = 'ResponseLimitError'
  readonly limit: 'bytes' | 'redirects'

  constructor(limit: 'bytes' | 'redirects', message: string) {
    super(message)
    this.limit = limit
  }
}

/** No answer, or only half of one. Asking later may work. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  /** As Node has it, e.g. `ECONNRESET` or `ENOTFOUND`; `TIMEOUT` for ours. */
  readonly code: string
  /** Scheme, host and port that were asked. */
  readonly origin: string

  constructor(code: string, url: URL, options: { cause?: unknown } = {}) {
    super(`no answer from ${url.origin}: ${code}`, options)
    this.code = code
    this.origin = url.origin
  }
}

/** A DID or a handle could not be looked up now. It says nothing about them: keep what is known, and ask later (hazard D1). */
export class TemporaryIdentityError extends Error {
  override readonly name = 'TemporaryIdentityError'
  /** Who did not answer: an origin, a domain, or `dns`. */
  readonly host: string
  /** What it answered, where it did. */
  readonly status: number | undefined
  /** How long the host asks to be left alone, or how long it is left alone by us. */
  readonly retryAfterMs: number | undefined
  /** False when nobody was asked, because the host has enough to do: no failure of its own. */
  readonly wasAsked: boolean

  constructor(
    subject: string,
    host: string,
    options: { cause?: unknown; status?: number; retryAfterMs?: number | undefined; wasAsked?: boolean } = {},
  ) {
    const { cause, status, retryAfterMs, wasAsked = true } = options
    const why = status !== undefined ? ` (status ${status})` : wasAsked ? '' : ' (it has enough to do)'
    super(`cannot look up ${subject} at ${host} now${why}`, { cause })
    this.host = host
    this.status = status
    this.retryAfterMs = retryAfterMs
    this.wasAsked = wasAsked
  }
}
