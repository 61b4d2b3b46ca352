import type { Check } from '../check.ts'
import { accounts } from './accounts.ts'
import { clock } from './clock.ts'
import { consumerNames } from './consumer-names.ts'
import { databaseAge } from './database-age.ts'
import { databaseConnections } from './database-connections.ts'
import { databaseIndexes } from './database-indexes.ts'
import { databaseLocks } from './database-locks.ts'
import { databaseReachable } from './database-reachable.ts'
import { databaseSettings } from './database-settings.ts'
import { deadLetters } from './dead-letters.ts'
import { dirtyAccounts } from './dirty-accounts.ts'
import { disk } from './disk.ts'
import { entriesThere } from './entries-there.ts'
import { exposure } from './exposure.ts'
import { freshness } from './freshness.ts'
import { gaps } from './gaps.ts'
import { groupsFound } from './groups-found.ts'
import { groupsInUse } from './groups-in-use.ts'
import { highWater } from './high-water.ts'
import { ingesters } from './ingesters.ts'
import { lag } from './lag.ts'
import { lostEntries } from './lost-entries.ts'
import { migrations } from './migrations.ts'
import { orphanedLists } from './orphaned-lists.ts'
import { pauses } from './pauses.ts'
import { repairs } from './repairs.ts'
import { runs } from './runs.ts'
import { stalls } from './stalls.ts'
import { storeDurability } from './store-durability.ts'
import { storeEpoch } from './store-epoch.ts'
import { storeMemory } from './store-memory.ts'
import { storePolicy } from './store-policy.ts'
import { storeReachable } from './store-reachable.ts'
import { upstreams } from './upstreams.ts'

/** In the order in which one would look: first what explains the rest. */
export const checks: readonly Check[] = [
  storeReachable,
  databaseReachable,
  pauses,
  stalls,
  storeMemory,
  storePolicy,
  storeDurability,
  storeEpoch,
  databaseAge,
  disk,
  migrations,
  databaseSettings,
  databaseConnections,
  databaseLocks,
  databaseIndexes,
  upstreams,
  ingesters,
  groupsFound,
  groupsInUse,
  entriesThere,
  orphanedLists,
  consumerNames,
  highWater,
  lag,
  freshness,
  gaps,
  lostEntries,
  repairs,
  runs,
  dirtyAccounts,
  accounts,
  deadLetters,
  clock,
  exposure,
]
