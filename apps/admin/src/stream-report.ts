import { ageSeconds } from '@millrace/runtime'
import type { GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import type { ProgressWatch } from './progress-watch.ts'
import type { GroupReport, StreamReport } from './status.ts'

/** What a store says about a stream, with ages in place of ids where people want those. */
export function streamReport(status: StreamStatus, now: number, watch?: ProgressWatch): StreamReport {
  const { stream, length, firstId, lastId } = status
  const age = (id: string): number => Math.round(ageSeconds(id, now))
  const groups = status.groups.map((group) => groupReport(group, status, now, watch))
  return {
    name: stream,
    length,
    ...(firstId !== null && { firstId, firstAgeSeconds: age(firstId) }),
    ...(lastId !== null && { lastId, lastAgeSeconds: age(lastId) }),
    // What nobody reads is behind by the age of its first entry.
    lagSeconds:
      groups.length > 0 ? Math.max(...groups.map(({ lagSeconds }) => lagSeconds)) : firstId ? age(firstId) : 0,
    groups,
  }
}

function groupReport(group: GroupStatus, stream: StreamStatus, now: number, watch?: ProgressWatch): GroupReport {
  const { name, pending, undelivered, oldestPendingId, lastDeliveredId } = group
  const waiting = oldestWaitingId(group, stream)
  return {
    name,
    ...watch?.judge(group, stream, now),
    pending,
    ...(undelivered !== null && { undelivered }),
    ...(oldestPendingId !== null && { oldestPendingAgeSeconds: Math.round(ageSeconds(oldestPendingId, now)) }),
    lagSeconds: Math.round(ageSeconds(waiting, now)),
    lastDeliveredId,
    consumers: group.consumers.map((consumer) => ({
      name: consumer.name,
      pending: consumer.pending,
      idleSeconds: Math.round(consumer.idleMs / 1_000),
    })),
  }
}

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

/** Ids are `<milliseconds>-<number>`; both parts may exceed what a number holds exactly. */
export function compareIds(one: string, other: string): number {
  const [oneMs = 0n, oneSeq = 0n] = one.split('-').map(BigInt)
  const [otherMs = 0n, otherSeq = 0n] = other.split('-').map(BigInt)
  const difference = oneMs === otherMs ? oneSeq - otherSeq : oneMs - otherMs
  return difference === 0n ? 0 : difference > 0n ? 1 : -1
}
