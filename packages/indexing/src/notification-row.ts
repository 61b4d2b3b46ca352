import { storableText } from '@millrace/database'
import { isDid } from '@millrace/stream-protocol'
import type { Notification, RecordContext } from './plugin.ts'

/** A row of `notification`, without its serial id. */
export interface NotificationRow {
  did: string
  recordUri: string
  recordCid: string
  author: string
  reason: string
  reasonSubject: string | null
  sortAt: string
}

/**
 * The rows of one record's notifications: only accounts get any, nobody gets one from themselves, and nobody gets two
 * for one reason (hazard X14).
 */
export function notificationRows(
  context: Pick<RecordContext<unknown>, 'uri' | 'cid' | 'did'>,
  notifications: readonly Notification[],
): NotificationRow[] {
  const seen = new Set<string>()
  const rows: NotificationRow[] = []
  for (const { did, reason, reasonSubject, sortAt } of notifications) {
    const key = `${did} ${reason}`
    if (did === context.did || !isDid(did) || seen.has(key)) continue
    seen.add(key)
    rows.push({
      did,
      recordUri: context.uri,
      recordCid: context.cid,
      author: context.did,
      reason,
      reasonSubject: reasonSubject === null ? null : storableText(reasonSubject),
      sortAt,
    })
  }
  return rows
}
