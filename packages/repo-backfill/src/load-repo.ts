import type { DidResolver, GuardedFetch, Identity } from '@millrace/identity'
import { isTid, OWN_PDS, type BackfillEvent } from '@millrace/stream-protocol'
import { InvalidRepoError, RepoUnavailableError, type UnavailableStatus } from './errors.ts'
import { fetchRepo, type FetchRepoLimits } from './fetch-repo.ts'
import type { RepoTurns } from './hosts/repo-turns.ts'
import type { RepoWorkers } from './repo-workers.ts'
import type { OpenedRepo } from './opened-repo.ts'
import { RepoIntake } from './repo-intake.ts'
import { invalidRepo, verifyRepo, type VerifiedRepo } from './verify-repo.ts'

export interface LoadRepoOptions {
  resolver: Pick<DidResolver, 'resolve'>
  fetch: GuardedFetch
  limits?: FetchRepoLimits
  signal?: AbortSignal
  beforePart?: (bytes: number) => Promise<void>
  /** Look at large repos. Without them, all is done in this thread. */
  workers?: RepoWorkers | undefined
  /** Asks hosts in their turn. @default at once */
  turns?: RepoTurns
}

/** What was loaded, and holds memory until it is disposed of. */
export type LoadedRepo = Disposable &
  (
    | {
        kind: 'repo'
        repo: VerifiedRepo
        /** Size of the CAR file. */
        size: number
        /** Origin of the host that served it. */
        host: string
      }
    | { kind: 'unavailable'; status: UnavailableStatus; host: string }
  )

/**
 * Gets one repo from wherever it is, verified: from the host that listed it, redirects included, else from the PDS that
 * a fresh DID document names (hazard B4). A document that changed under way is read again before anything is judged by
 * it (hazard B19). A snapshot older than the listing is not used (hazard B9).
 * @throws {TemporaryFetchError | TemporaryIdentityError | HostBusyError} try again later.
 * @throws {InvalidRepoError} no host has a repo that holds.
 */
export async function loadRepo(event: BackfillEvent, options: LoadRepoOptions): Promise<LoadedRepo> {
  const { did } = event
  const account = new AccountLookup(did, options.resolver)
  if (!(await account.known())) return unavailable('deleted', event.host)
  // Relays send us on to the PDS. While that is not to be asked, there is no need to learn it again for each of its repos.
  if (account.pds !== undefined) await options.turns?.reserve(account.pds)

  const load = async (host: string): Promise<LoadedRepo> => {
    using intake = new RepoIntake(options.workers)
    let servedBy = host
    let opened: OpenedRepo | undefined
    try {
      servedBy = (await fetchRepo({ ...options, host, did, into: intake })).host
      const arrived = await intake.end()
      opened = arrived
      const repo = await account.verify(arrived)
      if (isTid(event.rev) && repo.rev < event.rev)
        throw new InvalidRepoError(
          'rolled-back',
          did,
          `revision ${repo.rev} is older than ${event.rev}, which was listed`,
        )
      const dispose = (): void => arrived[Symbol.dispose]()
      return { kind: 'repo', repo, size: arrived.bytes, host: servedBy, [Symbol.dispose]: dispose }
    } catch (error) {
      opened?.[Symbol.dispose]()
      const found = invalidRepo(did, error)
      throw found instanceof InvalidRepoError && found.host === undefined ? servedFrom(servedBy, found) : found
    }
  }

  let failure: RepoUnavailableError | InvalidRepoError | undefined
  if (event.host !== OWN_PDS) {
    try {
      return await load(event.host)
    } catch (error) {
      if (!(error instanceof RepoUnavailableError || error instanceof InvalidRepoError)) throw error
      failure = error
    }
  }
  try {
    // A host that takes accounts down says so for itself. On all else the account's own host has the last word: a relay
    // may keep no repos, and a PDS that was moved away from still knows the account, as deactivated (hazard D9).
    if (failure instanceof RepoUnavailableError && (failure.status === 'takendown' || failure.status === 'suspended'))
      throw failure
    const { pds } = await account.fresh()
    if (failure && (pds === undefined || pds === failure.host)) throw failure
    if (pds === undefined) throw new InvalidRepoError('no-pds', did, 'the DID document names no host')
    return await load(pds)
  } catch (error) {
    if (error instanceof RepoUnavailableError) return unavailable(error.status, error.host)
    throw error
  }
}

/** The DID document of one account for the time of one load: read when first needed, and read again once at most. */
class AccountLookup {
  readonly #did: string
  readonly #resolver: Pick<DidResolver, 'resolve'>
  #identity: Identity | undefined
  #isFresh = false

  constructor(did: string, resolver: Pick<DidResolver, 'resolve'>) {
    this.#did = did
    this.#resolver = resolver
  }

  get pds(): string | undefined {
    return this.#identity?.pds
  }

  /** False when the account was deleted with its DID (hazard D8). */
  async known(): Promise<boolean> {
    const resolution = await this.#resolver.resolve(this.#did, { fresh: this.#isFresh })
    if (resolution.kind === 'found') this.#identity = resolution.identity
    else if (!resolution.tombstoned) throw new InvalidRepoError('unknown-did', this.#did, 'there is no such DID')
    return resolution.kind === 'found'
  }

  async fresh(): Promise<Identity> {
    if (!this.#isFresh) {
      this.#isFresh = true
      if (!(await this.known())) throw new RepoUnavailableError(this.#did, 'deleted', 'its DID')
    }
    return this.#identity!
  }

  /** Verifies with the key that is known, and if that fails with a newer one, should there be one. */
  async verify(repo: OpenedRepo): Promise<VerifiedRepo> {
    const { signingKey } = this.#identity!
    try {
      return await this.#verifyWith(repo, signingKey)
    } catch (error) {
      if (!(error instanceof InvalidRepoError)) throw error
      const { signingKey: newKey } = await this.fresh()
      if (newKey === signingKey) throw error
      return this.#verifyWith(repo, newKey)
    }
  }

  #verifyWith(repo: OpenedRepo, signingKey: string | undefined): Promise<VerifiedRepo> {
    if (signingKey === undefined)
      throw new InvalidRepoError('no-signing-key', this.#did, 'the DID document has no signing key')
    return verifyRepo(repo, { did: this.#did, signingKey })
  }
}

function servedFrom(host: string, error: InvalidRepoError): InvalidRepoError {
  return new InvalidRepoError(error.reason, error.did, `${error.message} (from ${host})`, { host, cause: error })
}

function unavailable(status: UnavailableStatus, host: string): LoadedRepo {
  return { kind: 'unavailable', status, host, [Symbol.dispose]: () => undefined }
}
