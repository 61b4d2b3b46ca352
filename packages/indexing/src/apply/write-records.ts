import type { RowChanges } from '../plan.ts'
import type { Statement } from '../session.ts'
import { deleteRows, insertRows } from '../sql.ts'
import type { TableShapes } from '../table-shape.ts'
import { purgeDeadLetters } from './write-effects.ts'

const upsertRecord = `on conflict (uri) do update set cid = excluded.cid, json = excluded.json, "indexedAt" = excluded."indexedAt", rev = excluded.rev`
const upsertTombstone =
  'on conflict (uri) do update set rev = excluded.rev, invalid = excluded.invalid, deleted_at = now()'

/**
 * The generic rows: `record` as the repos have it, a tombstone for what is gone (hazard G7). A row that stays keeps
 * what is not ours in it, such as a takedown.
 */
export function writeRecords(
  { puts, removes, raises, revived }: RowChanges,
  shapes: TableShapes,
): (Statement | undefined)[] {
  return [
    removes.length > 0
      ? deleteRows(
          'record',
          'uri',
          removes.map((op) => op.uri),
        )
      : undefined,
    removes.length > 0
      ? insertRows({
          table: 'millrace_tombstone',
          shape: shapes.get('millrace_tombstone')!,
          rows: removes.map(({ uri, did, rev, invalid }) => ({ uri, did, rev, invalid: invalid !== undefined })),
          suffix: upsertTombstone,
        })
      : undefined,
    purgeDeadLetters(removes.filter((op) => op.invalid === undefined)),
    revived.length > 0 ? deleteRows('millrace_tombstone', 'uri', revived) : undefined,
    puts.length > 0
      ? insertRows({
          table: 'record',
          shape: shapes.get('record')!,
          rows: puts.map(({ uri, cid, did, json, indexedAt, rev }) => ({ uri, cid, did, json, indexedAt, rev })),
          suffix: upsertRecord,
        })
      : undefined,
    raises.length > 0
      ? {
          text: 'update record set rev = v.rev from unnest($1::text[], $2::text[]) as v(uri, rev) where record.uri = v.uri',
          values: [raises.map((raise) => raise.uri), raises.map((raise) => raise.rev)],
        }
      : undefined,
  ]
}
