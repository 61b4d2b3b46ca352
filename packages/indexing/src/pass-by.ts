import { readKnownRepos, type Database } from '@millrace/database'
import type { StreamEvent } from '@millrace/stream-protocol'

/**
 * Which events of a batch are about accounts that are not followed, by their index: where accounts are taken by
 * collection, what is about no record that is taken counts for those alone that are known (`ifKnown`).
 *
 * A repo that becomes known only now is fetched, later than anything of it that is passed by here was sent: nothing of it
 * is lost, in whichever order its events come. So a commit is passed by even if a record of its account comes with it;
 * what is said of the account itself is not.
 */
export async function passBy(
  database: Pick<Database, 'pool'>,
  events: readonly StreamEvent[],
): Promise<ReadonlySet<number>> {
  const inDoubt = new Set(events.flatMap(({ did, ifKnown }) => (ifKnown ? [did] : [])))
  const passedBy = new Set<number>()
  if (inDoubt.size === 0) return passedBy
  const known = await readKnownRepos(database, [...inDoubt])
  const comes = new Set(events.flatMap(({ did, ifKnown }) => (ifKnown ? [] : [did])))
  for (const [index, { did, ifKnown, type }] of events.entries())
    if (ifKnown && !known.has(did) && (type === 'repo' || !comes.has(did))) passedBy.add(index)
  return passedBy
}
