import type { ServerResponse } from 'node:http'
import { carType, sendCar, XrpcError } from './http.ts'
import type { Account } from './account.ts'

/** What `getRepo` does instead of answering well. */
export type RepoFault =
  | { type: 'not-found' | 'deactivated' | 'takendown' | 'suspended'; status?: number }
  | { type: 'throttled'; retryAfterSeconds?: number }
  | { type: 'error'; status?: number }
  /** Closes the connection after so many bytes. */
  | { type: 'cut'; afterBytes: number }
  /** Sends so many bytes, then nothing more. */
  | { type: 'stall'; afterBytes?: number }
  /** One byte of one record differs, so its block is not what its CID says. */
  | { type: 'corrupt-block' }
  /** Signed by a key that the DID document does not name. */
  | { type: 'other-key' }
  /** A commit of another account, well signed. */
  | { type: 'other-did' }

/** What the directory does instead of giving a DID document. */
export type IdentityFault = { type: 'not-found' } | { type: 'error'; status?: number } | { type: 'stall' }

/** A fault that is on. */
export interface ActiveFault {
  didOrHost: string
  of: 'repo' | 'identity'
  fault: RepoFault | IdentityFault
  /** Requests that it will spoil yet. */
  left: number
}

interface Active<T> {
  fault: T
  left: number
}

/** Faults that are on now. They can be changed while the network runs. */
export class Faults {
  readonly #repos = new Map<string, Active<RepoFault>>()
  readonly #identities = new Map<string, Active<IdentityFault>>()

  /**
   * Spoils `getRepo` for one DID, or for one PDS by its URL. A fault of the DID goes before one of its host.
   * @param times how many requests; afterwards all is well again. @default Infinity
   */
  getRepo(didOrHost: string, fault: RepoFault, { times = Infinity }: { times?: number } = {}): void {
    this.#repos.set(didOrHost, { fault, left: times })
  }

  /** Spoils the DID document of one account. */
  identity(did: string, fault: IdentityFault, { times = Infinity }: { times?: number } = {}): void {
    this.#identities.set(did, { fault, left: times })
  }

  /** Ends the faults of one DID or host; all of them when none is named. */
  clear(didOrHost?: string): void {
    for (const faults of [this.#repos, this.#identities]) {
      if (didOrHost === undefined) faults.clear()
      else faults.delete(didOrHost)
    }
  }

  /** @returns the faults that are switched on. */
  list(): ActiveFault[] {
    const all = (of: ActiveFault['of'], faults: ReadonlyMap<string, Active<RepoFault | IdentityFault>>) =>
      [...faults].map(([didOrHost, active]) => ({ didOrHost, of, ...active }))
    return [...all('repo', this.#repos), ...all('identity', this.#identities)]
  }

  /** The fault for this request, which thereby counts as one of its times. */
  takeRepoFault(did: string, host: string): RepoFault | undefined {
    return take(this.#repos, did) ?? take(this.#repos, host)
  }

  /** @returns the fault that strikes this look-up of a DID, and counts it. */
  takeIdentityFault(did: string): IdentityFault | undefined {
    return take(this.#identities, did)
  }
}

function take<T>(faults: Map<string, Active<T>>, key: string): T | undefined {
  const active = faults.get(key)
  if (!active) return undefined
  active.left--
  if (active.left <= 0) faults.delete(key)
  return active.fault
}

/** Answers a `getRepo` in the faulty way. */
export async function answerWithFault(fault: RepoFault, account: Account, response: ServerResponse): Promise<void> {
  switch (fault.type) {
    case 'not-found':
      throw new XrpcError(fault.status ?? 400, 'RepoNotFound', `Could not find repo for DID: ${account.did}`)
    case 'deactivated':
      throw new XrpcError(fault.status ?? 400, 'RepoDeactivated', `Repo has been deactivated: ${account.did}`)
    case 'takendown':
      throw new XrpcError(fault.status ?? 400, 'RepoTakendown', `Repo has been takendown: ${account.did}`)
    case 'suspended':
      throw new XrpcError(fault.status ?? 400, 'RepoSuspended', `Repo has been suspended: ${account.did}`)
    case 'throttled': {
      const seconds = fault.retryAfterSeconds
      const headers: Record<string, string> = seconds === undefined ? {} : { 'retry-after': String(seconds) }
      throw new XrpcError(429, 'RateLimitExceeded', 'Rate Limit Exceeded', headers)
    }
    case 'error':
      throw new XrpcError(fault.status ?? 500, 'InternalServerError', 'Internal Server Error')
    case 'cut': {
      const car = await account.repo.car()
      response.writeHead(200, { ...carType, 'content-length': car.length })
      response.write(car.subarray(0, fault.afterBytes), () => response.destroy())
      return
    }
    case 'stall': {
      const car = await account.repo.car()
      response.writeHead(200, carType)
      response.write(car.subarray(0, fault.afterBytes ?? 0))
      response.flushHeaders()
      return
    }
    case 'corrupt-block':
      return sendCar(response, corruptBlock(await account.repo.car()))
    case 'other-key':
      return sendCar(response, await account.repo.car({ keypair: account.otherKeypair }))
    case 'other-did':
      return sendCar(response, await account.repo.car({ did: account.strangerDid }))
  }
}

/** Changes the last byte, which belongs to the last block. */
function corruptBlock(car: Uint8Array): Uint8Array {
  return car.with(car.length - 1, (car.at(-1) ?? 0) ^ 1)
}
