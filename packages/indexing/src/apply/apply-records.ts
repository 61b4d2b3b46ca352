import { isGuarded } from '@millrace/failpoints'
import type { RecordJson } from '@millrace/stream-protocol'
import { CountDeltas } from '../counts.ts'
import type { AddedRow } from '../derivation.ts'
import { notificationRows, type NotificationRow } from '../notification-row.ts'
import type { RowChanges } from '../plan.ts'
import type { PluginMap, RecordPlugin } from '../plugin.ts'
import type { RecordOp } from '../record-op.ts'
import { InvalidRecordError } from '../record-type.ts'
import type { Session } from '../session.ts'
import { deleteRows } from '../sql.ts'
import type { TableShapes } from '../table-shape.ts'
import { typedRow } from '../typed-row.ts'
import { AppliedRowsLog } from './applied-rows.ts'
import { lookForNegative, readNegative, type NegativeCount } from './negative-counts.ts'
import { addPartRows, addTypedRows, passingPartRows, removeTypedRows } from './typed-rows.ts'
import { retractNotifications, writeCounts, writeDuplicates, writeNotifications } from './write-effects.ts'
import { writeRecords } from './write-records.ts'

export interface ApplyContext {
  session: Session
  shapes: TableShapes
  plugins: PluginMap
  now: string
  /** Whether a notification of this time is still news. */
  isNews: (sortAt: string) => boolean
}

/**
 * Writes planned changes and everything that follows from them, in this order: what goes, what comes, what hangs on
 * it, and last the counts, whose rows are shared by all (hazards X2, X3).
 * @param lockNames is called before anything is derived, where the locks for that are not taken yet.
 * @returns the counts that fell below zero, which is a mistake wherever it was made.
 */
export async function applyRecords(
  { session, shapes, plugins, isNews }: ApplyContext,
  changes: RowChanges,
  lockNames?: () => Promise<void>,
): Promise<NegativeCount[]> {
  const counts = new CountDeltas()
  const applied = new AppliedRowsLog()
  const context = { session, shapes, counts, applied }
  const ops: readonly RecordOp[] = [...changes.puts, ...changes.removes]
  for (const op of ops) if (op.action === 'remove' || !op.isHeld) applied.touch(op.collection, op.uri)

  const gone = new Map(changes.removes.map((op) => [op.uri, op.indexedAt]))
  const promoted = await freeClaims(session, changes.replaced)
  await Promise.all([
    session.all(writeRecords(changes, shapes)),
    removeTypedRows(context, changes.replaced, (uri) => gone.get(uri)),
  ])

  const candidates = new Map<RecordPlugin, AddedRow[]>()
  for (const { plugin, row, context: record } of changes.puts)
    if (plugin && row) addTo(candidates, plugin, { row, context: record })
  const waiting = new Set<string>()
  for (const promotion of promoted) {
    waiting.add(promotion.uri)
    const candidate = promotedRow(promotion, shapes)
    if (candidate) addTo(candidates, promotion.plugin, candidate)
  }
  const duplicates = await addTypedRows(context, candidates)
  for (const { uri } of duplicates) waiting.delete(uri)
  const news: NotificationRow[] = []
  for (const plugin of plugins.values()) {
    if (!plugin.notify || !plugin.table) continue
    for (const { row, context: record } of applied.added(plugin.table)) {
      news.push(
        ...notificationRows(
          record,
          plugin.notify(row, record).filter(({ sortAt, happenedAt = sortAt }) => isNews(happenedAt)),
        ),
      )
    }
  }
  await Promise.all([addPartRows(context, plugins.values()), session.all([writeNotifications(news)])])

  // Others wait from here on.
  await lockNames?.()
  const added: NotificationRow[] = []
  const retracted: { did: string; recordUri: string; reason: string }[] = []
  const effects = {
    counts,
    isNews,
    notify: (rows: readonly NotificationRow[]) => void added.push(...rows),
    retract: (rows: typeof retracted) => void retracted.push(...rows),
  }
  for (const derivation of new Set([...plugins.values()].map((plugin) => plugin.derivation)))
    await derivation?.run(session, applied, effects)

  const looks = lookForNegative(counts)
  const results = await session.all([
    ...changes.removes.flatMap((op) =>
      op.plugin && op.passing ? passingPartRows(op.plugin, op.passing, shapes, op.indexedAt) : [],
    ),
    waiting.size > 0 ? deleteRows('duplicate_record', 'uri', [...waiting]) : undefined,
    writeDuplicates(duplicates, shapes),
    retractNotifications(isGuarded('retract') ? retracted : []),
    writeNotifications(added),
    ...writeCounts(counts, shapes),
    ...looks.map(({ statement }) => statement),
  ])
  return readNegative(looks, results.slice(results.length - looks.length))
}

interface Promotion {
  uri: string
  cid: string
  indexedAt: string
  json: string
  plugin: RecordPlugin
}

/**
 * Records that are replaced no longer wait for another one's row, and those that waited for theirs claim it now. All
 * of them: which one gets it is decided where the rows are added.
 */
async function freeClaims(session: Session, replaced: RowChanges['replaced']): Promise<Promotion[]> {
  const claims = [...replaced].filter(([plugin]) => plugin.uniqueBy !== undefined)
  const results = await session.all([
    ...claims.map(([, uris]) => deleteRows('duplicate_record', 'uri', uris)),
    ...claims.map(([, uris]) => ({
      text: 'select r.uri, r.cid, r."indexedAt", r.json from duplicate_record d join record r on r.uri = d.uri where d."duplicateOf" = any ($1::text[])',
      values: [uris],
    })),
  ])
  return claims.flatMap(([plugin], index) =>
    (results[claims.length + index] as Omit<Promotion, 'plugin'>[]).map((row) => ({ ...row, plugin })),
  )
}

/** The row of a record that waited; none when its lexicon, as we know it now, forbids it. */
function promotedRow({ uri, cid, indexedAt, json, plugin }: Promotion, shapes: TableShapes): AddedRow | undefined {
  const [, , did, , rkey] = uri.split('/', 5)
  try {
    const record: unknown = plugin.collection.parse(JSON.parse(json) as RecordJson)
    const context = { uri, cid, did: did!, rkey: rkey!, indexedAt, record }
    const row = typedRow(plugin, context, shapes)
    return row ? { row, context } : undefined
  } catch (error) {
    if (!(error instanceof InvalidRecordError)) throw error
    return undefined
  }
}

function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
