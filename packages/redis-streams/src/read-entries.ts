import type { PendingEntry, StoredFields } from '@millrace/stream-protocol'
import { ErrorReply } from 'redis'
import type { RedisConnection } from './connect.ts'
import { isNoSuchKey } from './groups.ts'
import { asInteger, asList, asMap, asText } from './replies.ts'

/** Entries after an id, whoever has read them. */
export async function readEntries(
  redis: RedisConnection,
  { stream, after, limit }: { stream: string; after: string; limit: number },
): Promise<StoredFields[]> {
  const reply = await redis.command(['XRANGE', stream, `(${after}`, '+', 'COUNT', String(limit)])
  return asList(reply, 'entries').map((entry) => {
    const [id, body] = asList(entry, 'entry')
    const fields = [...asMap(body, 'entry body')].map(([name, value]) => [name, asText(value, 'field of an entry')])
    return { id: asText(id, 'entry id'), fields: Object.fromEntries(fields) as Record<string, string> }
  })
}

/** What a group was given and has not acked, after an id. */
export async function readPending(
  redis: RedisConnection,
  { stream, group, after, limit }: { stream: string; group: string; after: string; limit: number },
): Promise<PendingEntry[]> {
  try {
    const reply = await redis.command(['XPENDING', stream, group, `(${after}`, '+', String(limit)])
    return asList(reply, 'pending entries').map((entry) => {
      const [id, consumer, idleMs, deliveries] = asList(entry, 'pending entry')
      return {
        id: asText(id, 'entry id'),
        consumer: asText(consumer, 'consumer'),
        idleMs: asInteger(idleMs, 'idle time'),
        deliveries: asInteger(deliveries, 'deliveries'),
      }
    })
  } catch (error) {
    if (isNoSuchKey(error) || (error instanceof ErrorReply && error.message.startsWith('NOGROUP'))) return []
    throw error
  }
}
