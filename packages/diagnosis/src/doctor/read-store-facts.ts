import { readToldTally } from '@millrace/database'
import { STREAM_EPOCH_KEY, type GroupStatus, type StreamStatus, type StreamStore } from '@millrace/stream-protocol'
import type { GroupProgress } from '../progress-watch.ts'
import { readEntry } from '../read-entry.ts'
import type { DeclaredStream, StoreFacts } from './facts.ts'

export interface ReadStoreOptions {
  judge: (group: GroupStatus, stream: StreamStatus) => GroupProgress
  onClock: (now: number) => void
}

/** Pending entries of a group that are looked for in their stream: the oldest ones, which are the first to go. */
const LOOKED_FOR = 20

export async function readStoreFacts(
  store: StreamStore,
  declared: readonly DeclaredStream[],
  { judge, onClock }: ReadStoreOptions,
): Promise<StoreFacts> {
  const names = [...new Set(declared.map(({ stream }) => stream))]
  const [description, statuses, epoch, toldTally] = await Promise.all([
    store.describe().then((described) => {
      onClock(described.now)
      return described
    }),
    store.status(names),
    store.cursors.get(STREAM_EPOCH_KEY),
    readToldTally(store.cursors),
  ])
  const ghosts = await Promise.all(
    statuses.flatMap(({ stream, groups }) =>
      groups
        .filter(({ pending }) => pending > 0)
        .map(async ({ name: group }) => ({ stream, group, entries: await countGhosts(store, stream, group) })),
    ),
  )
  return {
    description,
    streams: statuses,
    judged: statuses.flatMap((status) =>
      status.groups.map((group) => ({ stream: status.stream, group: group.name, ...judge(group, status) })),
    ),
    ghosts: ghosts.filter(({ entries }) => entries > 0),
    epoch,
    toldTally,
  }
}

async function countGhosts(store: StreamStore, stream: string, group: string): Promise<number> {
  const pending = await store.pending(stream, group, { after: '0-0', limit: LOOKED_FOR })
  const found = await Promise.all(pending.map(async ({ id }) => (await readEntry(store, stream, id)) !== undefined))
  const missing = pending.filter((_, index) => found[index] !== true)
  if (missing.length === 0) return 0
  // What was acked while we looked is no ghost.
  const still = await store.pending(stream, group, { after: '0-0', limit: LOOKED_FOR })
  return missing.filter(({ id }) => still.some((each) => each.id === id)).length
}
