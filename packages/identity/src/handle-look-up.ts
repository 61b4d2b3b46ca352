import type { DidResolver } from './did-resolver.ts'
import { verifiedHandle, type HandleResolver } from './handle-resolver.ts'

export interface HandleLookUpOptions {
  dids: Pick<DidResolver, 'resolve'>
  handles: Pick<HandleResolver, 'resolve'>
  /** Told of accounts that are gone for good, each time that they are looked up. */
  onTombstone?: (did: string) => Promise<void>
}

/** @throws {TemporaryIdentityError} when it cannot be known now. */
export type HandleLookUp = (did: string, options?: { fresh?: boolean; patient?: boolean }) => Promise<string | null>

/**
 * Makes a function that finds the handle of an account: it counts only when the account's document names it and it leads
 * back to the account (hazard D2). Null for an account without such a handle, and for one that is gone. It is what a
 * `HandleRefresher` of `@millrace/indexing` takes as `resolve`.
 */
export function handleLookUp({ dids, handles, onTombstone }: HandleLookUpOptions): HandleLookUp {
  return async (did, { fresh = false, patient = false } = {}) => {
    const resolution = await dids.resolve(did, { fresh, patient })
    if (resolution.kind === 'found') return await verifiedHandle(resolution.identity, handles, { patient })
    if (resolution.tombstoned) await onTombstone?.(did)
    return null
  }
}
