import type { GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import type { Connection, Row } from './connection.ts'
import { idOfSeq } from './entry-id.ts'

/** Entries that are counted one by one, where several groups share a stream. */
const MOST_COUNTED = 1_000_000
/** Consumers that are listed for a group: those with the most pending entries. */
const MOST_CONSUMERS = 100

export function streamStatus(connection: Connection, name: string): StreamStatus {
  const stream = connection.get(
    `select id, length, appended,
       (select seq from entry where stream = stream.id order by seq limit 1) as first,
       (select seq from entry where stream = stream.id order by seq desc limit 1) as last
     from stream where name = ?`,
    name,
  )
  if (!stream) return { stream: name, length: 0, firstId: null, lastId: null, groups: [] }
  const groups = connection.all(
    'select id, name, delivered from consumer_group where stream = ? order by name',
    stream['id']!,
  )
  return {
    stream: name,
    length: Number(stream['length']),
    appended: Number(stream['appended']),
    firstId: idOrNull(stream['first']),
    lastId: idOrNull(stream['last']),
    groups: groups.map((group) => groupStatus(connection, stream, group, groups.length === 1)),
  }
}

function groupStatus(connection: Connection, stream: Row, group: Row, only: boolean): GroupStatus {
  const now = Date.now()
  const consumers = connection
    .all(
      `select name, seen_at, coalesce(count, 0) as pending
       from consumer left join (
         select consumer, count(*) as count from pending where consumer_group = :group group by consumer
       ) on consumer = consumer.id
       where consumer_group = :group`,
      { group: group['id']! },
    )
    .map((row) => ({
      name: String(row['name']),
      pending: Number(row['pending']),
      idleMs: Math.max(0, now - Number(row['seen_at'])),
    }))
  const pending = consumers.reduce((sum, consumer) => sum + consumer.pending, 0)
  const oldest = connection.get('select min(seq) as seq from pending where consumer_group = ?', group['id']!)
  return {
    name: String(group['name']),
    pending,
    // With one group every entry is either pending or undelivered (hazard S11).
    undelivered: only ? Number(stream['length']) - pending : undelivered(connection, stream, group),
    oldestPendingId: idOrNull(oldest?.['seq']),
    lastDeliveredId: idOfSeq(Number(group['delivered'])),
    consumers: consumers.toSorted((a, b) => b.pending - a.pending).slice(0, MOST_CONSUMERS),
  }
}

function undelivered(connection: Connection, stream: Row, group: Row): number | null {
  const row = connection.get(
    'select count(*) as count from (select 1 from entry where stream = ? and seq > ? limit ?)',
    stream['id']!,
    group['delivered']!,
    MOST_COUNTED,
  )
  const count = Number(row?.['count'])
  return count === MOST_COUNTED ? null : count
}

function idOrNull(seq: unknown): string | null {
  return typeof seq === 'number' ? idOfSeq(seq) : null
}
