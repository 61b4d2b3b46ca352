import type { PendingEntry, StoredFields } from '@millrace/stream-protocol'
import type { Connection } from './connection.ts'
import { idOfSeq, seqAtOrBefore } from './entry-id.ts'

interface Range {
  stream: string
  after: string
  limit: number
}

/** Entries after an id, whoever has read them. */
export function readEntries(connection: Connection, { stream, after, limit }: Range): StoredFields[] {
  return connection
    .all(
      `select seq, field, text from entry where stream = (select id from stream where name = ?) and seq > ?
       order by seq limit ?`,
      stream,
      seqAtOrBefore(after),
      limit,
    )
    .map((row) => ({ id: idOfSeq(Number(row['seq'])), fields: { [String(row['field'])]: String(row['text']) } }))
}

/** What a group was given and has not acked, after an id. */
export function readPending(
  connection: Connection,
  { stream, group, after, limit }: Range & { group: string },
): PendingEntry[] {
  const now = Date.now()
  return connection
    .all(
      `select seq, delivered_at, consumer.name as consumer from pending join consumer on consumer.id = pending.consumer
       where pending.consumer_group = (
         select g.id from consumer_group as g join stream on stream.id = g.stream where stream.name = ? and g.name = ?
       ) and seq > ?
       order by seq limit ?`,
      stream,
      group,
      seqAtOrBefore(after),
      limit,
    )
    .map((row) => ({
      id: idOfSeq(Number(row['seq'])),
      consumer: String(row['consumer']),
      idleMs: Math.max(0, now - Number(row['delivered_at'])),
      deliveries: null,
    }))
}
