import { verifyJwt } from '@atproto/xrpc-server'
import type { DidResolver } from '@millrace/identity'
import type { Caller, Role } from './methods/method.ts'

export interface ServiceAuthOptions {
  /** Ours: what tokens have to be meant for. */
  serviceDid: string
  /** DIDs that may look, and DIDs that may change things as well. */
  viewers: readonly string[]
  operators: readonly string[]
  resolver: Pick<DidResolver, 'resolve'>
  /** @default Date.now */
  now?: () => number
}

/** Longest time that a token may be good for, in milliseconds: one that is stolen is of little use. */
const MOST_MS = 5 * 60_000

/**
 * Takes tokens that accounts sign for one call of one method (atproto service auth): of listed accounts alone, for us,
 * for that method, for a few minutes, and once.
 */
export class ServiceAuth {
  readonly #options: Required<ServiceAuthOptions>
  /** When each token that was used runs out, by account and number: not more of them than are good at a time. */
  readonly #used = new Map<string, number>()

  constructor({ now = Date.now, ...rest }: ServiceAuthOptions) {
    this.#options = { ...rest, now }
  }

  /** Who calls; undefined when the token does not hold, whatever the reason (hazard M2). */
  async callerOf(authorization: string | undefined, nsid: string): Promise<Caller | undefined> {
    const [, token] = /^Bearer ([A-Za-z0-9._-]{1,4096})$/i.exec(authorization ?? '') ?? []
    if (token === undefined) return undefined
    const { serviceDid, now } = this.#options
    try {
      const payload = await verifyJwt(token, serviceDid, nsid, (iss, fresh) => this.#signingKey(iss, fresh))
      const expiresAt = payload.exp * 1_000
      const { jti } = payload as { jti?: unknown }
      const role = this.#roleOf(payload.iss)
      if (role === undefined || expiresAt > now() + MOST_MS || typeof jti !== 'string') return undefined
      return this.#takeOnce(`${payload.iss} ${jti}`, expiresAt) ? { who: payload.iss, role } : undefined
    } catch {
      return undefined
    }
  }

  #roleOf(did: string): Role | undefined {
    if (this.#options.operators.includes(did)) return 'operator'
    return this.#options.viewers.includes(did) ? 'viewer' : undefined
  }

  #takeOnce(key: string, expiresAt: number): boolean {
    for (const [each, until] of this.#used) if (until < this.#options.now()) this.#used.delete(each)
    if (this.#used.has(key)) return false
    this.#used.set(key, expiresAt)
    return true
  }

  /** Strangers have us look up nobody. */
  async #signingKey(iss: string, fresh: boolean): Promise<string> {
    if (this.#roleOf(iss) === undefined) throw new Error('not a listed account')
    const resolution = await this.#options.resolver.resolve(iss, { fresh })
    const key = resolution.kind === 'found' ? resolution.identity.signingKey : undefined
    if (key === undefined) throw new Error('the account has no key')
    return key
  }
}
