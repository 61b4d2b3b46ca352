import { isObject, type JsonObject } from '@millrace/stream-protocol'
import type { Answer } from './recorded-calls.ts'

/**
 * An answer without what says nothing of the rows: which of the known followers are shown and in what order is chance
 * there; whether a status is active depends on the time of asking, and whether a notification is read on the answer's
 * own `seenAt`. A mark that contradicts these stays, and so differs.
 */
export function settle(nsid: string, { body }: Answer, askedAt: number): unknown {
  const settled = settleValue(body, askedAt)
  if (!isObject(settled)) return settled
  const { followers, notifications, seenAt } = settled
  if (nsid === 'app.bsky.graph.getKnownFollowers' && Array.isArray(followers))
    followers.sort((a, b) => (didOf(a) < didOf(b) ? -1 : 1))
  if (nsid === 'app.bsky.notification.listNotifications' && Array.isArray(notifications))
    for (const item of notifications.filter(isObject))
      if (item['isRead'] === isRead(item['indexedAt'], seenAt)) delete item['isRead']
  return settled
}

function settleValue(value: unknown, askedAt: number): unknown {
  if (Array.isArray(value)) return value.map((item) => settleValue(item, askedAt))
  if (!isObject(value)) return value
  const settled: JsonObject = {}
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'knownFollowers' && isObject(inner)) settled[name] = { count: inner['count'] }
    else if (name === 'isActive' && inner === isAhead(value['expiresAt'], askedAt)) continue
    else settled[name] = settleValue(inner, askedAt)
  }
  return settled
}

function didOf(value: unknown): string {
  return isObject(value) ? String(value['did']) : ''
}

function isAhead(time: unknown, now: number): boolean {
  return Date.parse(String(time)) > now
}

function isRead(notifiedAt: unknown, seenAt: unknown): boolean {
  return typeof seenAt !== 'string' || seenAt > String(notifiedAt)
}
