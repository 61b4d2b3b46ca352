import { cursorKey, INGESTER_DONE, type Logger, type StreamStore } from '@millrace/stream-protocol'
import { closeUnfinishedRuns } from './close-unfinished-runs.ts'
import { gapStatement } from './ledger.ts'
import type { Client } from './open-database.ts'

export interface GoBackOptions {
  /** In the transaction that notes that it was done. Until then it may be done once more. */
  client: Client
  store: Pick<StreamStore, 'cursors'>
  /** The store lost what was to become rows, or the database lost the rows. */
  reason: 'store-lost' | 'database-restored'
  labelStream: string
  repoStream: string
  logger: Logger
}

/**
 * Goes back to what the database knows: cursors to their checkpoints, labelers to their beginning. What the repos hold is
 * listed again where the store has lost it. Where the database has, hosts may have forgotten what was in it, or count from
 * anew: each gets an open gap, whose repair compares all that it has (hazards I4, I5).
 */
export async function goBack({ client, store, reason, labelStream, repoStream, logger }: GoBackOptions): Promise<void> {
  const { cursors } = store
  const isRestored = reason === 'database-restored'
  const { rows } = await client.query<{ host: string; stream: string; url: string; checkpoint: string | null }>(
    'select host, stream, url, checkpoint::text from millrace_upstream order by host, stream',
  )
  for (const { host, stream, url, checkpoint } of rows) {
    const key = cursorKey(stream, url)
    const cursor = await cursors.get(key)
    if (stream === labelStream) {
      await cursors.delete(key)
      await client.query(
        `insert into millrace_gap (host, stream, reason, from_seq, closed_at) values ($1, $2, $3, $4, now())`,
        [host, stream, reason, cursor],
      )
      logger.warn({ host, stream, cursor }, 'reading a labeler again from its beginning')
      continue
    }
    const listing = cursorKey(repoStream, url)
    // A list that was read to its end is compared by the repair.
    if (!isRestored || (await cursors.get(listing)) !== INGESTER_DONE) await cursors.delete(listing)
    // Without a checkpoint nobody knows what was lost: what has moved is found by comparing.
    if (isRestored || checkpoint === null) {
      const toSeq = isRestored ? (cursor ?? undefined) : undefined
      const fromSeq = isRestored ? (checkpoint ?? undefined) : (cursor ?? undefined)
      await client.query(gapStatement({ host, stream, reason, fromSeq, toSeq }))
    }
    if (checkpoint !== null && cursor !== null && Number(cursor) > Number(checkpoint))
      await cursors.set(key, checkpoint)
    logger.warn({ host, stream, cursor, checkpoint }, 'reading a host again from its checkpoint')
  }
  // The rest of them was in the store, or in rows that are gone.
  await closeUnfinishedRuns(client)
  // Those that were fetched wait for what was lost.
  const { rowCount } = await client.query(
    'update millrace_dirty set next_at = now() where attempts > 0 and next_at > now()',
  )
  if (rowCount) logger.warn({ repos: rowCount }, 'fetching again the repos that were on their way')
}
