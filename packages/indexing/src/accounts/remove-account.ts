import type { Pool } from 'pg'
import { applyRecords } from '../apply/apply-records.ts'
import type { NegativeCount } from '../apply/negative-counts.ts'
import { purgeAccount } from '../apply/write-effects.ts'
import type { PluginMap } from '../plugin.ts'
import { removalOf, removeOf } from '../repos/sweep.ts'
import { transaction } from '../session.ts'
import { lockNames, takeLocks } from '../batch-locks.ts'
import type { TableShapes } from '../table-shape.ts'
import { compareText } from '../values.ts'
import { removalGoesOn } from './stored-account.ts'
import { raiseFloors } from './raise-floors.ts'

export interface RemoveAccountOptions {
  pool: Pool
  shapes: TableShapes
  plugins: PluginMap
  did: string
  now: string
  /** Records in one transaction: short enough not to hold up others. @default 500 */
  chunk?: number
  /** Leaves the rest to the next call once it is aborted. */
  signal?: AbortSignal | undefined
  /** Whether a notification of this time is still news. */
  isNews: (sortAt: string) => boolean
}

interface RemovedAccount {
  /** Records. */
  removed: number
  /** Counts that fell below zero. */
  negative: NegativeCount[]
}

/**
 * Removes all that a deleted account's records contributed, chunk by chunk, and last the account itself. After a crash
 * at any point the next run finds what is left (hazard A6). What moderation knows of the account stays.
 */
export async function removeAccount({
  pool,
  shapes,
  plugins,
  did,
  now,
  isNews,
  chunk = 500,
  signal,
}: RemoveAccountOptions): Promise<RemovedAccount> {
  let removed = 0
  const negative: NegativeCount[] = []
  for (;;) {
    const done = await transaction(pool, async (session) => {
      // In no order: sorted in the database, each chunk would read all that is left.
      const rows = await session.one<{ uri: string; rev: string | null }>({
        text: 'select uri, rev from record where did = $1 limit $2',
        values: [did, chunk],
      })
      const changes = removalOf(
        rows
          .toSorted((a, b) => compareText(a.uri, b.uri))
          .map(({ uri, rev }) => removeOf({ uri, did, rev: rev ?? '' }, now, plugins)),
      )
      const locks = takeLocks([did], await lockNames(session, changes.removes))
      const [, goesOn] = await session.all([locks, removalGoesOn(did)] as const)
      // Nothing is added to a deleted account: what we have read can only have gone by the time we have the locks.
      if (goesOn.length === 0 || rows.length === 0) return { count: 0, negative: [] }
      const context = { session, shapes, plugins, now, isNews }
      const negative = await applyRecords(context, changes)
      // Their revisions are kept out by the floor, which one row for the account remembers.
      await session.all([
        raiseFloors('select did, max(rev) from millrace_tombstone where did = $1 group by did', [did]),
        { text: 'delete from millrace_tombstone where did = $1', values: [did] },
      ])
      return { count: rows.length, negative }
    })
    removed += done.count
    negative.push(...done.negative)
    if (signal?.aborted) return { removed, negative }
    if (done.count < chunk) break
  }
  await transaction(pool, async (session) => {
    const [, goesOn] = await session.all([takeLocks([did]), removalGoesOn(did)] as const)
    if (goesOn.length === 0) return
    await session.all([
      raiseFloors('select did, max(rev) from millrace_tombstone where did = $1 group by did', [did]),
      { text: 'delete from millrace_tombstone where did = $1', values: [did] },
      { text: 'delete from millrace_run where did = $1', values: [did] },
      { text: 'delete from millrace_commit where did = $1', values: [did] },
      { text: 'delete from notification where author = $1', values: [did] },
      { text: 'delete from actor_sync where did = $1', values: [did] },
      { text: 'delete from millrace_identity where did = $1', values: [did] },
      purgeAccount(did),
      // A takedown outlives the account, or a new one under the same DID would escape it.
      {
        text: 'delete from actor where did = $1 and "takedownRef" is null and not "trustedVerifier" and "ageAssuranceStatus" is null',
        values: [did],
      },
      { text: 'update actor set handle = null where did = $1', values: [did] },
      { text: 'update millrace_account set next_at = null where did = $1', values: [did] },
    ])
  })
  return { removed, negative }
}
