export { ByteBudget, type ByteBudgetOptions } from './byte-budget.ts'
export {
  InvalidRepoError,
  RepoUnavailableError,
  TemporaryFetchError,
  type InvalidRepoReason,
  type UnavailableStatus,
} from './errors.ts'
export { textsOf, type EntryChunk, type LeftOutRecord } from './entry-chunk.ts'
export {
  fetchRepo,
  type FetchedRepo,
  type FetchRepoLimits,
  type FetchRepoOptions,
  type RepoReceiver,
} from './fetch-repo.ts'
export { accountStatus, type AccountStatusOptions } from './hosts/account-status.ts'
export {
  HostBusyError,
  HostPacer,
  type HostAnswer,
  type HostPacerOptions,
  type HostRequest,
} from './hosts/host-pacer.ts'
export type { HostPlace } from './hosts/host-places.ts'
export type { HostState } from './hosts/host-state.ts'
export { pacedFetch, type PacedFetchOptions } from './hosts/paced-fetch.ts'
export { RepoTurns, type RepoTurnsOptions } from './hosts/repo-turns.ts'
export { loadRepo, type LoadedRepo, type LoadRepoOptions } from './load-repo.ts'
export { RepoBackfiller, type RepoBackfillerOptions, type RepoBackfillerStatus } from './repo-backfiller.ts'
export { LocalRepo } from './local-repo.ts'
export type { OpenedRepo } from './opened-repo.ts'
export type { RepoHead, RunOptions } from './repo-entries.ts'
export { RepoIntake } from './repo-intake.ts'
export { RepoWorkers, type RepoWorkersOptions } from './repo-workers.ts'
export { verifyRepo, type VerifiedRepo, type VerifyRepoOptions } from './verify-repo.ts'
