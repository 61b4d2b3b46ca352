import { judgeOnce, oldestWaitingId, type ProgressWatch } from '@millrace/diagnosis'
import { ageSeconds } from '@millrace/runtime'
import type { GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import type { GroupReport, StreamReport } from './status.ts'

export interface StreamKnowledge {
  /** Judges groups by how they were before. */
  watch?: ProgressWatch | undefined
  isPaused?: (stream: string, group: string) => boolean
}

/** What a store says about a stream, with ages in place of ids where people want those. */
export function streamReport(status: StreamStatus, now: number, knowing: StreamKnowledge = {}): StreamReport {
  const { stream, length, appended, firstId, lastId } = status
  const age = (id: string): number => Math.round(ageSeconds(id, now))
  const groups = status.groups.map((group) => groupReport(group, status, now, knowing))
  return {
    name: stream,
    length,
    ...(appended !== undefined && { appended }),
    ...(firstId !== null && { firstId, firstAgeSeconds: age(firstId) }),
    ...(lastId !== null && { lastId, lastAgeSeconds: age(lastId) }),
    // What nobody reads is behind by the age of its first entry.
    lagSeconds:
      groups.length > 0 ? Math.max(...groups.map(({ lagSeconds }) => lagSeconds)) : firstId ? age(firstId) : 0,
    groups,
  }
}

function groupReport(
  group: GroupStatus,
  stream: StreamStatus,
  now: number,
  { watch, isPaused }: StreamKnowledge,
): GroupReport {
  const { name, pending, undelivered, oldestPendingId, lastDeliveredId } = group
  const waiting = oldestWaitingId(group, stream)
  return {
    name,
    ...(watch?.judge(group, stream, now) ?? judgeOnce(group, stream, now)),
    // That it stands still is no alarm then.
    ...(isPaused?.(stream.stream, name) && { verdict: 'paused' as const }),
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
