import { createHash, randomBytes } from 'node:crypto'

export interface SessionsOptions {
  /** @default 12 hours: a working day */
  lifetimeMs?: number
  /** With one more the oldest ends. @default 100 */
  most?: number
}

/**
 * Browsers that have shown a password. They live as long as this process, and what is kept of each is the digest of
 * its token: nothing that could be used.
 */
export class Sessions {
  readonly #lifetimeMs: number
  readonly #most: number
  /** When each ends, the oldest first. */
  readonly #ends = new Map<string, number>()

  constructor({ lifetimeMs = 12 * 3_600_000, most = 100 }: SessionsOptions = {}) {
    this.#lifetimeMs = lifetimeMs
    this.#most = most
  }

  get lifetimeMs(): number {
    return this.#lifetimeMs
  }

  /** @returns a token that nobody can guess. */
  open(now: number): string {
    const token = randomBytes(32).toString('base64url')
    this.#ends.set(digest(token), now + this.#lifetimeMs)
    for (const [oldest] of this.#ends) {
      if (this.#ends.size <= this.#most) break
      this.#ends.delete(oldest)
    }
    return token
  }

  isOpen(token: string | undefined, now: number): boolean {
    return token !== undefined && (this.#ends.get(digest(token)) ?? 0) > now
  }

  close(token: string | undefined): void {
    if (token !== undefined) this.#ends.delete(digest(token))
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
