import type { DirtyMark } from '@millrace/stream-protocol'
import type { RepoClaim, RepoRev } from './reduce.ts'
import type { Session } from './session.ts'

/** Root of a repo without records: the CID of an empty tree node. */
const EMPTY_TREE = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'

/**
 * What a `#sync` means given what was stored before its batch (hazard I21). It brings no records: a root that we have,
 * or that of an empty repo which we know nothing of, is reached; any other needs the repo to be fetched.
 */
export async function settleClaims(
  session: Session,
  claims: readonly RepoClaim[],
): Promise<{ reached: RepoRev[]; dirty: DirtyMark[] }> {
  if (claims.length === 0) return { reached: [], dirty: [] }
  const dids = claims.map((claim) => claim.did)
  const [heads, withRecords] = await session.all([
    {
      text: 'select did, head_rev as rev, head_data as data from millrace_repo where did = any ($1::text[])',
      values: [dids],
    },
    {
      text: 'select did from unnest($1::text[]) as did where exists (select 1 from record where record.did = did.did)',
      values: [dids],
    },
  ] as const)
  const headOf = new Map(
    (heads as { did: string; rev: string | null; data: string | null }[]).map((head) => [head.did, head]),
  )
  const full = new Set((withRecords as { did: string }[]).map((row) => row.did))
  const reached: RepoRev[] = []
  const dirty: DirtyMark[] = []
  for (const claim of claims) {
    const head = headOf.get(claim.did)
    if (head?.rev && claim.rev <= head.rev) continue
    const root = claim.before ?? head?.data ?? (full.has(claim.did) ? undefined : EMPTY_TREE)
    const known = claim.data !== undefined && claim.data === root
    if (known) reached.push(claim)
    else dirty.push({ did: claim.did, reason: 'sync', host: claim.host, rev: claim.rev })
  }
  return { reached, dirty }
}
