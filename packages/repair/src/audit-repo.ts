import { readCollectionFilter, type Database } from '@millrace/database'
import type { GuardedFetch, DidResolver } from '@millrace/identity'
import { loadRepo, textsOf, type FetchRepoLimits } from '@millrace/repo-backfill'
import { OWN_PDS, recordUri, streamEventCodec } from '@millrace/stream-protocol'

export interface AuditRepoOptions {
  database: Database
  resolver: Pick<DidResolver, 'resolve'>
  fetch: GuardedFetch
  limits?: FetchRepoLimits
  signal?: AbortSignal
}

/** A revision of a repo, with the root of its tree. */
export interface RepoPlace {
  rev: string
  data: string | null
}

/**
 * How a repo at its own host stands to our rows:
 * - `same`: every record of the repo is ours, at the same revision, and no other
 * - `diverged`: it is not, though the revisions are equal (hazard O8)
 * - `moved`: it is at another revision than ours, so that what differs may be on its way
 * - `gone`: there is no repo to compare with
 */
export type AuditResult =
  | { kind: 'gone' }
  | {
      kind: 'same' | 'diverged' | 'moved'
      there: RepoPlace
      /** Null for a repo of which we have no whole revision. */
      here: RepoPlace | null
      /** URIs of records that it has and we have not, that we have another version of, and that it has not. */
      missing: string[]
      stale: string[]
      extra: string[]
    }

/** Fetches a repo once more and compares it record by record. @throws what `loadRepo` throws. */
export async function auditRepo(did: string, { database, ...options }: AuditRepoOptions): Promise<AuditResult> {
  using loaded = await loadRepo({ did, host: OWN_PDS, rev: '' }, options)
  if (loaded.kind === 'unavailable') return { kind: 'gone' }
  const { repo } = loaded
  const taken = await readCollectionFilter(database)
  return await database.transaction(async (client) => {
    // One snapshot of head and rows: what is applied meanwhile is in both or in neither.
    await client.query('set transaction isolation level repeatable read, read only')
    const { rows: heads } = await client.query<RepoPlace>(
      `select head_rev as rev, head_data as data from millrace_repo
       where did = $1 and broken_rev is null and head_rev is not null`,
      [did],
    )
    const { rows } = await client.query<{ uri: string; cid: string }>(
      // Of what is no record of its collection, no row is to be expected.
      'select uri, cid from record where did = $1 union all select uri, null from millrace_tombstone where did = $1 and invalid',
      [did],
    )
    const { rows: settings } = await client.query<{ value: string[] | null }>(
      `select value from millrace_setting where name = 'indexed-collections'`,
    )
    const kept = settings[0]?.value ? new Set(settings[0].value) : undefined
    const ours = new Map(rows.map(({ uri, cid }) => [uri, cid as string | null]))
    const difference = { missing: [] as string[], stale: [] as string[], extra: [] as string[] }
    for await (const chunk of repo.entries({ host: loaded.host, time: '', run: '', collections: taken.patterns }))
      for (const text of textsOf(chunk)) {
        const event = streamEventCodec.decode(text)
        // Of a record that no event can carry, no row is to be expected either.
        if (event.type !== 'create' || kept?.has(event.collection) === false) continue
        const uri = recordUri(event)
        const own = ours.get(uri)
        ours.delete(uri)
        if (own === undefined) difference.missing.push(uri)
        else if (own !== null && own !== event.cid) difference.stale.push(uri)
      }
    // What is not taken any more stays until its repo is fetched again.
    for (const [uri, cid] of ours) if (cid !== null && taken.has(uri.split('/')[3] ?? '')) difference.extra.push(uri)
    const differs = difference.missing.length + difference.stale.length + difference.extra.length > 0
    const here = heads[0] ?? null
    const kind = here?.rev !== repo.rev ? 'moved' : differs ? 'diverged' : 'same'
    return { kind, there: { rev: repo.rev, data: repo.data }, here, ...difference }
  })
}
