export {
  InvalidRepoError,
  RepoUnavailableError,
  TemporaryFetchError,
  type InvalidRepoReason,
  type UnavailableStatus,
} from './errors.ts'
export { fetchRepo, type FetchedRepo, type FetchRepoLimits, type FetchRepoOptions } from './fetch-repo.ts'
export { loadRepo, type LoadedRepo, type LoadRepoOptions } from './load-repo.ts'
export { RepoBackfiller, type RepoBackfillerOptions, type RepoBackfillerStatus } from './repo-backfiller.ts'
export { repoToEvents, type LeftOutRecord, type RepoToEventsOptions } from './repo-to-events.ts'
export { verifyRepo, type RepoRecord, type VerifiedRepo, type VerifyRepoOptions } from './verify-repo.ts'
