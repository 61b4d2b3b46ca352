import type { Connection } from './connection.ts'

/** Finds or makes the row of a stream. Inside a transaction that writes. */
export function streamRow(connection: Connection, name: string): number {
  const found = connection.get('select id from stream where name = ?', name)
  if (found) return Number(found['id'])
  return Number(connection.get('insert into stream (name) values (?) returning id', name)?.['id'])
}

export interface GroupRow {
  stream: number
  group: number
  /** Whether it was absent. */
  created: boolean
}

/** Finds or makes the row of a group, which starts at the first entry. Inside a transaction that writes. */
export function groupRow(connection: Connection, streamName: string, name: string): GroupRow {
  const stream = streamRow(connection, streamName)
  const found = connection.get('select id from consumer_group where stream = ? and name = ?', stream, name)
  if (found) return { stream, group: Number(found['id']), created: false }
  const made = connection.get('insert into consumer_group (stream, name) values (?, ?) returning id', stream, name)
  return { stream, group: Number(made?.['id']), created: true }
}

/** Finds or makes the row of a consumer. Inside a transaction that writes. */
export function consumerRow(connection: Connection, group: number, name: string, now: number): number {
  const row = connection.get(
    `insert into consumer (consumer_group, name, seen_at) values (?, ?, ?)
     on conflict (consumer_group, name) do update set seen_at = excluded.seen_at
     returning id`,
    group,
    name,
    now,
  )
  return Number(row?.['id'])
}

/** Forgets consumers with nothing pending that were not heard of since then. Inside a transaction that writes. */
export function removeIdleConsumers(connection: Connection, streamName: string, name: string, since: number): string[] {
  return connection
    .all(
      `delete from consumer
       where consumer_group = (
         select g.id from consumer_group as g join stream on stream.id = g.stream where stream.name = ? and g.name = ?
       ) and seen_at <= ? and not exists (select 1 from pending where pending.consumer_group = consumer.consumer_group and pending.consumer = consumer.id)
       returning name`,
      streamName,
      name,
      since,
    )
    .map((row) => String(row['name']))
}
