import type { CountDeltas } from '../counts.ts'
import type { NotificationRow } from '../notification-row.ts'
import type { RepoRev } from '../reduce.ts'
import type { Row } from '../plugin.ts'
import type { Statement } from '../session.ts'
import { insertRows, quoted } from '../sql.ts'
import type { TableShapes } from '../table-shape.ts'
import { compareText } from '../values.ts'
import type { Duplicate } from './typed-rows.ts'

/** Adds to numbers; a subject that has none yet starts at 0 (hazard A4). One statement for a table, keys in order. */
export function writeCounts(counts: CountDeltas, shapes: TableShapes): Statement[] {
  return counts.folded().map(({ table, key, columns, rows }) =>
    insertRows({
      table,
      shape: shapes.get(table)!,
      rows: rows.map(
        ({ subject, deltas }) =>
          Object.fromEntries([[key, subject], ...columns.map((column, index) => [column, deltas[index]!])]) as Row,
      ),
      suffix: `on conflict (${quoted(key)}) do update set ${columns.map((column) => `${quoted(column)} = ${quoted(table)}.${quoted(column)} + excluded.${quoted(column)}`).join(', ')}`,
    }),
  )
}

/**
 * Adds notifications, except to those who muted the thread that it is about. The mutes are asked for only when there
 * are any at all.
 */
export function writeNotifications(rows: readonly NotificationRow[]): Statement | undefined {
  if (rows.length === 0) return undefined
  const columns = ['did', 'recordUri', 'recordCid', 'author', 'reason', 'reasonSubject', 'sortAt'] as const
  return {
    text: `
      insert into notification (${columns.map(quoted).join(', ')})
      select ${columns.map((column) => `n.${quoted(column)}`).join(', ')}
      from unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(', ')}) as n(${columns.map(quoted).join(', ')})
      where not ((select exists (select 1 from thread_mute)) and exists (
        select 1 from post p join thread_mute m on m."rootUri" = coalesce(p."replyRoot", p.uri) and m."mutedByDid" = n.did
        where p.uri = n."reasonSubject"
      ))`,
    values: columns.map((column) => rows.map((row) => row[column])),
  }
}

/** Takes back single notifications of records that stay. */
export function retractNotifications(
  rows: readonly { did: string; recordUri: string; reason: string }[],
): Statement | undefined {
  if (rows.length === 0) return undefined
  return {
    text: 'delete from notification n using unnest($1::text[], $2::text[], $3::text[]) as k(did, uri, reason) where n."recordUri" = k.uri and n.did = k.did and n.reason = k.reason',
    values: [rows.map((row) => row.did), rows.map((row) => row.recordUri), rows.map((row) => row.reason)],
  }
}

/** Remembers which records wait for another one's row. */
export function writeDuplicates(duplicates: readonly Duplicate[], shapes: TableShapes): Statement | undefined {
  if (duplicates.length === 0) return undefined
  const rows = duplicates
    .map(({ uri, cid, duplicateOf, indexedAt }) => ({ uri, cid, duplicateOf, indexedAt }))
    .sort((a, b) => compareText(a.uri, b.uri))
  return insertRows({
    table: 'duplicate_record',
    shape: shapes.get('duplicate_record')!,
    rows,
    suffix:
      'on conflict (uri) do update set cid = excluded.cid, "duplicateOf" = excluded."duplicateOf", "indexedAt" = excluded."indexedAt"',
  })
}

const purge = `payload = '', error = 'its record is deleted', state = 'purged'`

/** Takes what was deleted out of the dead letters as well, where it may be kept whole (hazard X25). */
export function purgeDeadLetters(records: readonly { did: string; uri: string }[]): Statement | undefined {
  if (records.length === 0) return undefined
  return {
    text: `update millrace_dead_letter as l set ${purge} from unnest($1::text[], $2::text[]) as k(did, uri) where l.did = k.did and l.uri = k.uri and l.payload <> ''`,
    values: [records.map(({ did }) => did), records.map(({ uri }) => uri)],
  }
}

/** The same for all that an account had. */
export function purgeAccount(did: string): Statement {
  return { text: `update millrace_dead_letter set ${purge} where did = $1 and payload <> ''`, values: [did] }
}

/** Makes sure that accounts have a row (hazard D3), and has the handle of each new one looked up, later. */
export function ensureActors(seen: readonly { did: string; indexedAt: string }[]): Statement | undefined {
  if (seen.length === 0) return undefined
  return {
    text: `
      with fresh as (
        insert into actor (did, "indexedAt") select * from unnest($1::text[], $2::text[]) on conflict (did) do nothing returning did
      )
      insert into millrace_identity (did) select did from fresh on conflict (did) do nothing`,
    values: [seen.map(({ did }) => did), seen.map(({ indexedAt }) => indexedAt)],
  }
}

/** Has the handles of accounts looked up again as soon as they may be: after an event, what was known is old. */
export function requestIdentities(dids: readonly string[]): Statement | undefined {
  if (dids.length === 0) return undefined
  return {
    text: `
      insert into millrace_identity (did, forced) select did, true from unnest($1::text[]) as did
      on conflict (did) do update set forced = true, requested_at = now(), attempts = 0,
        next_at = greatest(now(), millrace_identity.quiet_until)`,
    values: [dids],
  }
}

/** The revision that readers are told: it only rises, and never before all that belongs to it is in (hazard X16). */
export function raiseRepos(revs: readonly RepoRev[]): Statement | undefined {
  if (revs.length === 0) return undefined
  return {
    text: `
      insert into actor_sync (did, "commitCid", "repoRev") select * from unnest($1::text[], $2::text[], $3::text[])
      on conflict (did) do update set "commitCid" = excluded."commitCid", "repoRev" = excluded."repoRev"
      where actor_sync."repoRev" is null or actor_sync."repoRev" collate "C" < excluded."repoRev" collate "C"`,
    values: [revs.map(({ did }) => did), revs.map(({ commit }) => commit), revs.map(({ rev }) => rev)],
  }
}
