import { isDid } from '@millrace/stream-protocol'

/** The newest revision of each account; nothing of what is no DID. */
export function newestOfEach<T extends { did: string; rev: string }>(revs: readonly T[]): T[] {
  const byDid = new Map<string, T>()
  for (const rev of revs) if (isDid(rev.did) && (byDid.get(rev.did)?.rev ?? '') < rev.rev) byDid.set(rev.did, rev)
  return [...byDid.values()]
}
