import type { NotOurs, WithDefault } from './column-types.ts'

/** One row for each account that we store anything of. */
export interface ActorTable {
  did: string
  /** Lower case; null while unknown or not confirmed by both sides. */
  handle: string | null
  indexedAt: string
  /** `deactivated`, `suspended` …; null while active. */
  upstreamStatus: string | null
  takedownRef: NotOurs<string | null>
  trustedVerifier: NotOurs<boolean>
  ageAssuranceStatus: NotOurs<string | null>
  ageAssuranceLastInitiatedAt: NotOurs<string | null>
  ageAssuranceAccess: NotOurs<string | null>
  ageAssuranceCountryCode: NotOurs<string | null>
  ageAssuranceRegionCode: NotOurs<string | null>
}

/** The revision that readers are told a repo is at: never ahead of its rows (hazard X16). */
export interface ActorSyncTable {
  did: string
  commitCid: string
  repoRev: string | null
}

export interface ProfileTable {
  uri: string
  cid: string
  creator: string
  displayName: string | null
  description: string | null
  avatarCid: string | null
  bannerCid: string | null
  indexedAt: string
  joinedViaStarterPackUri: string | null
  createdAt: string
  pinnedPost: string | null
  pinnedPostCid: string | null
}

export interface ProfileAggTable {
  did: string
  followersCount: WithDefault<number>
  followsCount: WithDefault<number>
  postsCount: WithDefault<number>
}
