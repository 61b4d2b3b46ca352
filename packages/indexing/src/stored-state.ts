import type { HeldAccount } from './accounts/account-state.ts'
import { hiddenAccounts, readHidden } from './accounts/stored-account.ts'
import type { Session } from './session.ts'
import { namesOf, readNamedRows, readReferences, takeLocks, takeNames } from './batch-locks.ts'
import type { RecordOp, StoredState } from './record-op.ts'
import { readRepos, storedRepos, type StoredRepos } from './repos/repo-store.ts'

export interface LockedState extends StoredState {
  hidden: ReadonlyMap<string, HeldAccount>
  repos: StoredRepos
  /** Takes the locks that derived fields need, unless they are taken: to be called before anything is derived. */
  lockNames: () => Promise<void>
}

/**
 * Takes the locks of a batch and reads what its decisions hang on, in one round trip. Whoever else writes to one of
 * these repos waits until we are done; the statements after the lock see all that was committed before it.
 *
 * Rows that are new nobody sees before they are committed. So a batch of them may be written first, and take the locks
 * that others wait for, those of what derived fields hang on, late. One that changes or removes rows takes them now:
 * it would hold these rows while it waits for a batch that derives their fields.
 */
export async function lockAndRead(
  session: Session,
  dids: Iterable<string>,
  ops: readonly RecordOp[],
): Promise<LockedState> {
  const allDids = [...new Set(dids)]
  const uris = ops.map((op) => op.uri)
  const namedRows = readNamedRows(ops)
  const [, records, tombstones, repoRows, commits, runs, hidden, ...places] = await session.all([
    takeLocks(allDids),
    { text: `select uri, rev, cid, json = '' as blank from record where uri = any ($1::text[])`, values: [uris] },
    { text: 'select uri, rev, invalid from millrace_tombstone where uri = any ($1::text[])', values: [uris] },
    ...readRepos(allDids),
    readHidden(allDids),
    ...namedRows,
    ...readReferences(ops),
  ])
  const names = namesOf(ops, places)
  const isNew = places.slice(0, namedRows.length).every((rows) => rows.length === 0)
  if (!isNew) await takeNames(session, ops, names)
  const repos = storedRepos(repoRows, commits, runs)
  const live = records as { uri: string; rev: string | null; cid: string; blank: boolean }[]
  const gone = tombstones as { uri: string; rev: string; invalid: boolean }[]
  const state = {
    records: new Map<string, { rev: string | null; cid: string }>(),
    tombstones: new Map(gone.map(({ uri, rev }) => [uri, rev])),
    refused: new Set(gone.filter(({ invalid }) => invalid).map(({ uri }) => uri)),
    floors: new Map([...repos.states].flatMap(([did, { floor }]) => (floor === null ? [] : [[did, floor] as const]))),
    repos,
    lockNames: async () => {
      if (isNew) await takeNames(session, ops, names)
    },
    hidden: hiddenAccounts(hidden as Parameters<typeof hiddenAccounts>[0]),
  }
  for (const { uri, rev, cid, blank } of live) {
    // A row that an older pipeline blanked is a tombstone, whatever table it stands in.
    if (blank) state.tombstones.set(uri, rev ?? '')
    else state.records.set(uri, { rev, cid })
  }
  return state
}
