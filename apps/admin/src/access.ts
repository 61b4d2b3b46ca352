import { createHash, timingSafeEqual } from 'node:crypto'

const USER = 'admin'

/** Compares HTTP Basic credentials with the accepted passwords. */
export class PasswordCheck {
  readonly #accepted: readonly Buffer[]

  constructor(passwords: readonly string[]) {
    this.#accepted = passwords.map((password) => digest(`${USER}:${password}`))
  }

  /**
   * Looks at every accepted password, and at digests of one length: how long it takes says neither which one was
   * nearly right nor how long they are (hazard M2).
   */
  accepts(authorization: string | undefined): boolean {
    const [, encoded = ''] = /^Basic ([A-Za-z0-9+/=_-]{1,1024})$/i.exec(authorization ?? '') ?? []
    return this.#isAccepted(Buffer.from(encoded, 'base64').toString('utf8'))
  }

  isPassword(password: string): boolean {
    return this.#isAccepted(`${USER}:${password}`)
  }

  #isAccepted(credentials: string): boolean {
    const given = digest(credentials)
    return this.#accepted.reduce((found, accepted) => timingSafeEqual(given, accepted) || found, false)
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export interface FailureThrottleOptions {
  /** @default 10 */
  perAddress?: number
  /** @default 100 */
  total?: number
  /** @default 60_000 */
  windowMs?: number
}

/** Counts failures in windows of time, for each address and for all together (hazard M2). */
export class FailureThrottle {
  readonly #perAddress: number
  readonly #total: number
  readonly #windowMs: number
  #windowStart = 0
  #failures = 0
  #byAddress = new Map<string, number>()

  constructor({ perAddress = 10, total = 100, windowMs = 60_000 }: FailureThrottleOptions = {}) {
    this.#perAddress = perAddress
    this.#total = total
    this.#windowMs = windowMs
  }

  isBlocked(address: string, now: number): boolean {
    this.#roll(now)
    return this.#failures >= this.#total || (this.#byAddress.get(address) ?? 0) >= this.#perAddress
  }

  failed(address: string, now: number): void {
    this.#roll(now)
    this.#failures += 1
    // Not more addresses than failures in a window, and those are bounded.
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1)
  }

  #roll(now: number): void {
    if (now - this.#windowStart < this.#windowMs) return
    this.#windowStart = now
    this.#failures = 0
    this.#byAddress = new Map()
  }
}

/** `localhost` and the loopback addresses, as they stand in a `Host` header or a bind address. */
export function isLoopback(host: string): boolean {
  const [, bracketed, named = host] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(host) ?? []
  const name = (bracketed ?? named).toLowerCase()
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
