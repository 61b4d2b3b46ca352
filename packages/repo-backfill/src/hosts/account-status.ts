import { PdsStatus, type PdsStatusOptions } from '@millrace/identity'
import type { HostPacer } from './host-pacer.ts'
import { pacedFetch } from './paced-fetch.ts'

export interface AccountStatusOptions extends PdsStatusOptions {
  /** That of all who ask the same hosts. */
  pacer: HostPacer
}

/** Before repairs and the first fetch of repos: somebody is seen who should not be, or the other way round. */
const PRIORITY = 1
/** A host that has no time holds up its own accounts alone (hazard D11). */
const MAX_WAIT_MS = 1_000

/**
 * Asks PDSs how accounts stand, in turn with all else that they are asked for. A question whose turn would not come
 * soon rejects with a `HostBusyError`, which says when to come back.
 */
export function accountStatus({ fetch, pacer, ...rest }: AccountStatusOptions): PdsStatus {
  return new PdsStatus({ ...rest, fetch: pacedFetch({ fetch, pacer, priority: PRIORITY, maxWaitMs: MAX_WAIT_MS }) })
}
