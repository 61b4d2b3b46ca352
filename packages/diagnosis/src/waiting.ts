import { compareIds, type GroupStatus, type StreamStatus } from '@millrace/stream-protocol'

/**
 * The oldest entry that the group has not acked. The first undelivered one is not asked for; it is not older than the
 * last delivered, nor than the first in the stream.
 */
export function oldestWaitingId(group: GroupStatus, { firstId, lastId }: StreamStatus): string | null {
  const { oldestPendingId, lastDeliveredId } = group
  const hasUndelivered = lastId !== null && compareIds(lastId, lastDeliveredId) > 0
  const undelivered = hasUndelivered && firstId !== null ? later(firstId, lastDeliveredId) : null
  if (oldestPendingId === null || undelivered === null) return oldestPendingId ?? undelivered
  return compareIds(oldestPendingId, undelivered) < 0 ? oldestPendingId : undelivered
}

function later(one: string, other: string): string {
  return compareIds(one, other) > 0 ? one : other
}

/**
 * How long a consumer may be silent before it counts as gone. One that waits for entries asks every second; one that has
 * its hands full, such as a backfiller with slow repos, does not.
 */
export const SILENT_MS = 150_000

/** No consumer of the group is heard of. */
export function isDeserted(group: GroupStatus): boolean {
  return !group.consumers.some(({ idleMs }) => idleMs < SILENT_MS)
}
