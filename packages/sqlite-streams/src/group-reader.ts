import type { StoredEntry } from '@millrace/stream-protocol/store-kit'
import type { Connection, Row } from './connection.ts'
import { idOfSeq, seqOfId } from './entry-id.ts'
import { consumerRow } from './tables.ts'

export interface Membership {
  stream: number
  group: number
  /** Its name: its row goes when nothing is heard of it for long, and comes back with it. */
  consumer: string
  /** Of the codec: an entry that was written under another field has no text for us. */
  field: string
}

/** Whether there is something new for the group. Outside of a transaction, so that waiting readers lock nothing. */
export function hasNew(connection: Connection, { stream, group }: Membership): boolean {
  return (
    connection.get(
      `select 1 from entry
       where stream = ? and seq > (select delivered from consumer_group where id = ?)
       limit 1`,
      stream,
      group,
    ) !== undefined
  )
}

/** Delivers the next entries of the stream. Inside a transaction that writes. */
export function readNew(connection: Connection, member: Membership, count: number, now: number): StoredEntry[] {
  const { stream, group } = member
  const consumer = consumerRow(connection, group, member.consumer, now)
  const rows = connection.all(
    `select seq, field, text from entry
     where stream = ? and seq > (select delivered from consumer_group where id = ?)
     order by seq limit ?`,
    stream,
    group,
    count,
  )
  const last = rows.at(-1)?.['seq']
  if (last === undefined) return []
  connection.run(
    `insert into pending (consumer_group, seq, consumer, delivered_at)
     select :group, seq, :consumer, :now from entry
     where stream = :stream and seq > (select delivered from consumer_group where id = :group) and seq <= :last`,
    { group, consumer, now, stream, last },
  )
  connection.run('update consumer_group set delivered = ? where id = ?', last, group)
  return rows.map((row) => storedEntry(row, member.field))
}

/** Ids pending for the consumer, after the given one. */
export function ownPending(connection: Connection, member: Membership, after: number, count: number): number[] {
  return connection
    .all(
      `select seq from pending
       where consumer_group = :group
         and consumer = (select id from consumer where consumer_group = :group and name = :consumer) and seq > :after
       order by seq limit :count`,
      { group: member.group, consumer: member.consumer, after, count },
    )
    .map(({ seq }) => Number(seq))
}

/**
 * Gives the consumer what others have had for too long. Inside a transaction that writes.
 * @returns the sequence numbers, in order.
 */
export function claimIdle(
  connection: Connection,
  { group, consumer: name }: Membership,
  { idleMs, count, now }: { idleMs: number; count: number; now: number },
): number[] {
  const consumer = consumerRow(connection, group, name, now)
  return connection
    .all(
      `update pending set consumer = :consumer, delivered_at = :now
       where consumer_group = :group and seq in (
         select seq from pending
         where consumer_group = :group and consumer <> :consumer and delivered_at <= :before
         order by seq limit :count
       )
       returning seq`,
      { consumer, now, group, before: now - idleMs, count },
    )
    .map(({ seq }) => Number(seq))
    .toSorted((a, b) => a - b)
}

/** What is pending for a consumer was given to it just now, as for the others. Inside a transaction that writes. */
export function keepClaims(
  connection: Connection,
  { stream, group, consumer, now }: { stream: string; group: string; consumer: string; now: number },
): void {
  connection.run(
    `update pending set delivered_at = :now
     from consumer_group as g join stream on stream.id = g.stream join consumer as c on c.consumer_group = g.id
     where stream.name = :stream and g.name = :group and c.name = :consumer
       and pending.consumer_group = g.id and pending.consumer = c.id`,
    { stream, group, consumer, now },
  )
}

/** The texts of pending entries. */
export function readPending(connection: Connection, seqs: readonly number[], field: string): StoredEntry[] {
  return connection
    .all(
      `select wanted.value as seq, entry.field, entry.text
       from json_each(?) as wanted left join entry on entry.seq = wanted.value
       order by wanted.value`,
      JSON.stringify(seqs),
    )
    .map((row) => storedEntry(row, field))
}

/**
 * Takes entries out of the group's pending list, and out of the stream once every group of it has acked them: an entry
 * that another group has not read, or not acked, stays until that group's ack. Inside a transaction that writes.
 * @returns how many of them were pending.
 */
export function ackEntries(
  connection: Connection,
  { stream, group }: { stream: number; group: number },
  ids: readonly string[],
): number {
  const seqs = JSON.stringify(ids.map(seqOfId).filter((seq) => seq !== undefined))
  const acked = connection.run(
    'delete from pending where consumer_group = ? and seq in (select value from json_each(?))',
    group,
    seqs,
  )
  const deleted = connection.all(
    `delete from entry
     where seq in (select value from json_each(:seqs)) and stream = :stream
       and not exists (
         select 1 from consumer_group as other
         where other.stream = :stream and other.id <> :group and (
           other.delivered < entry.seq
           or exists (select 1 from pending where consumer_group = other.id and seq = entry.seq)
         )
       )
     returning octet_length(text) as bytes`,
    { seqs, stream, group },
  )
  const bytes = deleted.reduce((sum, row) => sum + Number(row['bytes']), 0)
  connection.run('update stream set length = length - ?, bytes = bytes - ? where id = ?', deleted.length, bytes, stream)
  return acked
}

function storedEntry(row: Row, field: string): StoredEntry {
  const id = idOfSeq(Number(row['seq']))
  if (row['text'] === null) return { id, text: null }
  return { id, text: row['field'] === field ? String(row['text']) : undefined }
}
