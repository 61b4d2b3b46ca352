import { cursorKey } from '@millrace/stream-protocol'
import type { AdminSources } from '../admin-sources.ts'

export interface KnownHost {
  /** With scheme. */
  host: string
  stream: string
  checkpoint: string | null
  checkpointAt: Date | null
  seenAt: Date | null
}

/** The hosts that are configured here, and those that ingesters have said to read. */
export async function knownHosts({
  sources,
}: {
  sources: Pick<AdminSources, 'cursors' | 'database'>
}): Promise<KnownHost[]> {
  const { cursors = [], database } = sources
  const byKey = new Map<string, KnownHost>(
    cursors.map(({ stream, host }) => [
      cursorKey(stream, host),
      { host, stream, checkpoint: null, checkpointAt: null, seenAt: null },
    ]),
  )
  if (database !== undefined && !('why' in database)) {
    const { rows } = await database.pool.query<KnownHost>(
      `select url as host, stream, checkpoint::text, checkpoint_at as "checkpointAt", seen_at as "seenAt"
       from millrace_upstream order by host, stream`,
    )
    for (const row of rows) byKey.set(cursorKey(row.stream, row.host), row)
  }
  return [...byKey.values()]
}

/** The method that a host sends the events of a stream by. */
export function eventsOf(stream: string, { labelStream }: Pick<AdminSources, 'labelStream'>): string {
  return stream === labelStream ? 'com.atproto.label.subscribeLabels' : 'com.atproto.sync.subscribeRepos'
}
