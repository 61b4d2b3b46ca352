import { isGuarded } from '@millrace/failpoints'
import type { Statement } from '../session.ts'

/**
 * Has everything older than the newest that was heard of an account stay out, should it come back after it was deleted:
 * what was removed before has left no tombstone (hazards G7, I23). What has that newest revision is the repo's present
 * state, and may come again: the floor is just below it.
 * @param newest A query for accounts, each with the newest revision.
 */
export function raiseFloors(newest: string, values: unknown[]): Statement | undefined {
  if (!isGuarded('deletion-floor')) return undefined
  return {
    text: `
      insert into millrace_repo as r (did, floor_rev) select did, left(rev, -1) from (${newest}) as k(did, rev)
      on conflict (did) do update set floor_rev = excluded.floor_rev
      where r.floor_rev is null or r.floor_rev < excluded.floor_rev`,
    values,
  }
}
