import type { Pool } from 'pg'
import { applyRecords } from '../apply/apply-records.ts'
import type { NegativeCount } from '../apply/negative-counts.ts'
import type { PluginMap } from '../plugin.ts'
import { removalOf, removeOf } from '../repos/sweep.ts'
import { transaction } from '../session.ts'
import { lockNames, takeLocks } from '../stored-state.ts'
import type { TableShapes } from '../table-shape.ts'

export interface RemoveAccountOptions {
  pool: Pool
  shapes: TableShapes
  plugins: PluginMap
  did: string
  now: string
}

interface RemovedAccount {
  /** Records. */
  removed: number
  /** Counts that fell below zero. */
  negative: NegativeCount[]
}

/** Records in one transaction: short enough not to hold up others. */
const CHUNK = 500

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
}: RemoveAccountOptions): Promise<RemovedAccount> {
  let removed = 0
  const negative: NegativeCount[] = []
  for (;;) {
    const chunk = await transaction(pool, async (session) => {
      const rows = await session.one<{ uri: string; rev: string | null }>({
        text: 'select uri, rev from record where did = $1 order by uri limit $2',
        values: [did, CHUNK],
      })
      if (rows.length === 0) return { count: 0, negative: [] }
      // Nothing is added to a deleted account: what we have read can only have gone by the time we have the locks.
      const changes = removalOf(rows.map(({ uri, rev }) => removeOf({ uri, did, rev: rev ?? '' }, now, plugins)))
      await session.one(takeLocks([did], await lockNames(session, changes.removes)))
      const context = { session, shapes, plugins, now, isNews: () => false }
      return { count: rows.length, negative: await applyRecords(context, changes) }
    })
    removed += chunk.count
    negative.push(...chunk.negative)
    if (chunk.count < CHUNK) break
  }
  await transaction(pool, async (session) => {
    await session.all([
      takeLocks([did], []),
      { text: 'delete from millrace_tombstone where did = $1', values: [did] },
      { text: 'delete from millrace_run where did = $1', values: [did] },
      { text: 'delete from millrace_commit where did = $1', values: [did] },
      { text: 'delete from notification where did = $1 or author = $1', values: [did] },
      { text: 'delete from millrace_identity where did = $1', values: [did] },
      { text: `update millrace_dead_letter set payload = '' where did = $1`, values: [did] },
      // A takedown outlives the account, or a new one under the same DID would escape it.
      {
        text: 'delete from actor where did = $1 and "takedownRef" is null and not "trustedVerifier" and "ageAssuranceStatus" is null',
        values: [did],
      },
      { text: 'update actor set handle = null where did = $1', values: [did] },
    ])
  })
  return { removed, negative }
}
