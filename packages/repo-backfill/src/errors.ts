/** Why a repo, as it was served, is not used. For metrics and dead letters. */
export type InvalidRepoReason =
  | 'bad-car'
  | 'bad-block'
  | 'bad-commit'
  | 'wrong-did'
  | 'bad-rev'
  | 'future-rev'
  | 'bad-signature'
  | 'bad-tree'
  | 'missing-block'
  | 'too-large'
  | 'no-pds'
  | 'no-signing-key'
  | 'unknown-did'
  | 'rolled-back'
  | 'refused'
  | 'blocked-host'

/** A repo that does not hold, or that its host will not serve. Nothing of it is used; asking once more may help. */
export class InvalidRepoError extends Error {
  override readonly name = 'InvalidRepoError'
  readonly reason: InvalidRepoReason
  readonly did: string
  /** Origin of the host that served it, once there is one. */
  readonly host: string | undefined

  constructor(
    reason: InvalidRepoReason,
    did: string,
    message: string,
    options: { host?: string | undefined; cause?: unknown } = {},
  ) {
    super(`repo ${did}: ${message}`, { cause: options.cause })
    this.reason = reason
    this.did = did
    this.host = options.host
  }
}

/** Why a host gives nobody a repo, as it says. */
export type UnavailableStatus = 'deactivated' | 'suspended' | 'takendown' | 'deleted'

/** A host says that the account is not to be seen. */
export class RepoUnavailableError extends Error {
  override readonly name = 'RepoUnavailableError'
  readonly did: string
  readonly status: UnavailableStatus
  readonly host: string

  constructor(did: string, status: UnavailableStatus, host: string) {
    super(`repo ${did} is ${status} at ${host}`)
    this.did = did
    this.status = status
    this.host = host
  }
}

/** The host does not serve anything well now. It says nothing about the repo. */
export class TemporaryFetchError extends Error {
  override readonly name = 'TemporaryFetchError'
  readonly did: string
  /** Origin of the host that failed: with redirects, the last one. */
  readonly host: string
  /** How long it asks to be left alone. */
  readonly retryAfterMs: number | undefined

  constructor(
    did: string,
    host: string,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(`cannot fetch repo ${did} from ${host} now: ${message}`, { cause: options.cause })
    this.did = did
    this.host = host
    this.retryAfterMs = options.retryAfterMs
  }
}
