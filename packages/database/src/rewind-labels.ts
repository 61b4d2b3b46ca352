import { hastened } from '@millrace/failpoints'
import { cursorKey, type CursorStore } from '@millrace/stream-protocol'
import { lockKey } from './locks.ts'
import type { Database } from './open-database.ts'

export interface RewindLabelsOptions {
  database: Database
  cursors: Pick<CursorStore, 'delete'>
  labelStream: string
  /** Others often follow: how long a gap is left open, in milliseconds. @default 30_000 */
  settleMs?: number
  /** What is lost again and again is not read again all the time, in milliseconds. @default 1 h */
  quietMs?: number
}

/**
 * Goes back to the beginning of every labeler when labels were lost on their way from the stream to the rows (hazards
 * S10, S11, S20): of labels there is no other history than the labeler's own, and those that come twice change nothing
 * (L2). What a labeler itself no longer has, or counts anew, is not lost here: such gaps stay open, to be seen.
 * @returns the hosts that are to be read again from the cursors stored by then, which are none.
 */
export async function rewindLabels({
  database,
  cursors,
  labelStream,
  settleMs = hastened(30_000),
  quietMs = hastened(3_600_000),
}: RewindLabelsOptions): Promise<string[]> {
  const due = {
    text: `
      select from millrace_gap where host = '' and stream = $1 and closed_at is null
        and opened_at < now() - make_interval(secs => $2)
        and not exists (
          select from millrace_gap where host = '' and stream = $1 and closed_at > now() - make_interval(secs => $3)
        ) limit 1`,
    values: [labelStream, settleMs / 1_000, quietMs / 1_000],
  }
  // Asked every few seconds, and hardly ever true.
  if ((await database.pool.query(due)).rowCount === 0) return []
  return await database.transaction(async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [lockKey('job', 'rewind-labels')])
    // Another process was faster.
    if ((await client.query(due)).rowCount === 0) return []
    const { rows } = await client.query<{ host: string; url: string }>(
      'select host, url from millrace_upstream where stream = $1 order by host',
      [labelStream],
    )
    // Before the gap is closed: after a crash in between it is done once more.
    for (const { url } of rows) await cursors.delete(cursorKey(labelStream, url))
    await client.query(
      `update millrace_gap set closed_at = now() where host = '' and stream = $1 and closed_at is null`,
      [labelStream],
    )
    return rows.map(({ host }) => host)
  })
}
