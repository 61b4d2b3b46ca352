import { isGuarded } from '@millrace/failpoints'
import type { AddedRow } from '../derivation.ts'
import type { CountDeltas } from '../counts.ts'
import type { Cell, Part, RecordPlugin, Row } from '../plugin.ts'
import type { Session, Statement } from '../session.ts'
import { deleteRows, insertRows, quoted } from '../sql.ts'
import type { TableShapes } from '../table-shape.ts'
import { partRows } from '../typed-row.ts'
import { compareText } from '../values.ts'
import type { AppliedRowsLog } from './applied-rows.ts'

/** A record that is no longer alone with what it claims, or claims it again. */
export interface Duplicate {
  uri: string
  cid: string
  duplicateOf: string
  indexedAt: string
}

export interface TypedRowsContext {
  session: Session
  shapes: TableShapes
  counts: CountDeltas
  applied: AppliedRowsLog
}

/**
 * Removes the typed rows of these records, and with each its further rows, its counts and its notifications.
 * `deletedAt` says of records that are gone for good, not replaced, when they went.
 */
export async function removeTypedRows(
  context: TypedRowsContext,
  byPlugin: ReadonlyMap<RecordPlugin, readonly string[]>,
  deletedAt: (uri: string) => string | undefined,
): Promise<void> {
  const withTable = [...byPlugin].filter(([plugin, uris]) => plugin.table !== undefined && uris.length > 0)
  if (withTable.length === 0) return
  const removed = (await context.session.all(
    withTable.map(([plugin, uris]) => deleteRows(plugin.table!, 'uri', uris, '*')),
  )) as Row[][]

  const steps: { statement: Statement; part?: Part<unknown> }[] = []
  for (const [index, [plugin]] of withTable.entries()) {
    const rows = removed[index]!
    if (rows.length === 0) continue
    context.applied.remove(plugin.table!, rows)
    context.counts.addRows(plugin.counts ?? [], rows, -1)
    for (const part of plugin.parts ?? []) {
      steps.push(...removePartRows(part, rows, deletedAt).map((statement) => ({ statement, part })))
    }
    if (plugin.notify || plugin.derivation)
      steps.push({
        statement: deleteRows(
          'notification',
          'recordUri',
          rows.map((row) => row['uri'] as string),
        ),
      })
  }
  const results = (await context.session.all(steps.map((step) => step.statement))) as Row[][]
  for (const [index, { part }] of steps.entries())
    if (part?.counts) context.counts.addRows(part.counts, results[index]!, -1)
}

function removePartRows(
  part: Part<unknown>,
  rows: readonly Row[],
  deletedAt: (uri: string) => string | undefined,
): Statement[] {
  const uris = rows.map((row) => row['uri'] as string)
  if (!part.markDeleted) return [deleteRows(part.table, part.owner, uris, part.counts ? '*' : '')]
  const { column, locate } = part.markDeleted
  const keys = (subset: readonly Row[]): unknown[] => [
    subset.map((row) => row['uri']),
    subset.map((row) => locate.of(row)),
  ]
  const isKey = `t.${quoted(part.owner)} = k.owner and t.${quoted(locate.column)} = k.place`
  const goneAt = (row: Row): string | undefined => deletedAt(row['uri'] as string)
  const gone = rows.filter((row) => goneAt(row) !== undefined)
  const replaced = rows.filter((row) => goneAt(row) === undefined)
  return [
    ...(gone.length > 0
      ? [
          {
            text: `
              update ${quoted(part.table)} as t set ${quoted(column)} = k.at
              from unnest($1::text[], $2::text[], $3::text[]) as k(owner, place, at) where ${isKey}`,
            values: [...keys(gone), gone.map(goneAt)],
          },
        ]
      : []),
    ...(replaced.length > 0
      ? [
          {
            text: `delete from ${quoted(part.table)} as t using unnest($1::text[], $2::text[]) as k(owner, place) where ${isKey}`,
            values: keys(replaced),
          },
        ]
      : []),
  ]
}

/**
 * Inserts typed rows. Of several that claim one combination of `uniqueBy` the smallest URI gets the row, be it one of
 * these or one that is there (hazard X7); the others are returned as its duplicates.
 */
export async function addTypedRows(
  context: TypedRowsContext,
  byPlugin: ReadonlyMap<RecordPlugin, AddedRow[]>,
): Promise<Duplicate[]> {
  const groups = [...byPlugin].filter(([, rows]) => rows.length > 0)
  for (const [, rows] of groups) rows.sort((a, b) => compareText(a.context.uri, b.context.uri))
  const inserted = (await context.session.all(
    groups.map(([plugin, rows]) => insertTyped(plugin, rows, context.shapes)),
  )) as { uri: string }[][]

  const losers = new Map<RecordPlugin, AddedRow[]>()
  for (const [index, [plugin, rows]] of groups.entries()) {
    const uris = inserted[index]!
    if (uris.length === rows.length) note(context, plugin, rows)
    else {
      const won = new Set(uris.map((row) => row.uri))
      note(
        context,
        plugin,
        rows.filter((row) => won.has(row.context.uri)),
      )
      losers.set(
        plugin,
        rows.filter((row) => !won.has(row.context.uri)),
      )
    }
  }
  const duplicates: Duplicate[] = []
  for (const [plugin, rows] of losers) duplicates.push(...(await settle(context, plugin, rows)))
  return duplicates
}

function insertTyped(plugin: RecordPlugin, rows: readonly AddedRow[], shapes: TableShapes): Statement {
  return insertRows({
    table: plugin.table!,
    shape: shapes.get(plugin.table!)!,
    rows: rows.map(({ row }) => row),
    suffix: 'on conflict do nothing returning uri',
  })
}

function note({ applied, counts }: TypedRowsContext, plugin: RecordPlugin, rows: readonly AddedRow[]): void {
  applied.add(plugin.table!, rows)
  counts.addRows(
    plugin.counts ?? [],
    rows.map(({ row }) => row),
    1,
  )
}

/** Rows that met another one of the same account: decides who stays, in byte order of the URI. */
async function settle(
  context: TypedRowsContext,
  plugin: RecordPlugin,
  losers: readonly AddedRow[],
): Promise<Duplicate[]> {
  const columns = plugin.uniqueBy
  if (!columns)
    throw new Error(
      `rows of ${losers[0]!.context.uri} and others are in ${plugin.table} although their records are new`,
    )
  const keyOf = (row: Row): string => JSON.stringify(columns.map((column) => row[column]))
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(', ')
  const names = columns.map((_, index) => `c${index}`)
  const holders = await context.session.one<Row>({
    text: `select t.* from ${quoted(plugin.table!)} t join (select distinct * from unnest(${arrays}) as k(${names.join(', ')})) k on ${columns.map((column, index) => `t.${quoted(column)} = k.c${index}`).join(' and ')}`,
    values: columns.map((column) => losers.map(({ row }) => String(row[column]))),
  })
  const holderOf = new Map(holders.map((row) => [keyOf(row), row]))

  const claims = new Map<string, AddedRow[]>()
  for (const loser of losers) claims.set(keyOf(loser.row), [...(claims.get(keyOf(loser.row)) ?? []), loser])
  const demoted: Row[] = []
  const winners: AddedRow[] = []
  const duplicates: Duplicate[] = []
  const moved: { from: string; to: string }[] = []
  for (const [key, rivals] of claims) {
    const holder = holderOf.get(key)
    if (!holder)
      throw new Error(
        `no row of ${plugin.table} stands in the way of ${rivals[0]!.context.uri}, yet it was not inserted`,
      )
    let winner = holder['uri'] as string
    const [first] = rivals // the smallest: rows are sorted
    if (first!.context.uri < winner && isGuarded('pair-order')) {
      demoted.push(holder)
      winners.push(first!)
      moved.push({ from: winner, to: first!.context.uri })
      winner = first!.context.uri
      duplicates.push(duplicateOf(holder, winner))
    }
    for (const { row } of rivals) if (row['uri'] !== winner) duplicates.push(duplicateOf(row, winner))
  }
  if (demoted.length > 0) {
    await removeTypedRows(context, new Map([[plugin, demoted.map((row) => row['uri'] as string)]]), () => undefined)
    await context.session.all([
      {
        text: 'update duplicate_record set "duplicateOf" = k.next from unnest($1::text[], $2::text[]) as k(former, next) where "duplicateOf" = k.former',
        values: [moved.map((move) => move.from), moved.map((move) => move.to)],
      },
      insertTyped(plugin, winners, context.shapes),
    ])
    note(context, plugin, winners)
  }
  return duplicates
}

function duplicateOf(row: Row, winner: Cell): Duplicate {
  return {
    uri: row['uri'] as string,
    cid: row['cid'] as string,
    duplicateOf: winner as string,
    indexedAt: row['indexedAt'] as string,
  }
}

/** Inserts the further rows of records whose typed row is in. */
export async function addPartRows(
  { session, shapes, counts, applied }: TypedRowsContext,
  plugins: Iterable<RecordPlugin>,
): Promise<void> {
  const steps: { part: Part<unknown>; statement: Statement }[] = []
  for (const plugin of plugins) {
    const added = plugin.table ? applied.added(plugin.table) : []
    if (added.length === 0) continue
    for (const part of plugin.parts ?? []) {
      const rows = partRows(
        part.table,
        added.flatMap(({ context }) => part.toRows(context)),
        shapes,
      )
      if (rows.length > 0)
        steps.push({
          part,
          statement: insertRows({
            table: part.table,
            shape: shapes.get(part.table)!,
            rows,
            suffix: conflictRule(part, rows[0]!),
          }),
        })
    }
  }
  const results = (await session.all(steps.map((step) => step.statement))) as Row[][]
  for (const [index, { part }] of steps.entries()) if (part.counts) counts.addRows(part.counts, results[index]!, 1)
}

function conflictRule(part: Part<unknown>, row: Row): string {
  if (part.markDeleted) {
    const { column, key } = part.markDeleted
    // What is marked is of a version that is gone: nothing of it stays (hazard X11).
    const others = Object.keys(row).filter((name) => !key.includes(name))
    const replaced = others.map((name) => `, ${quoted(name)} = excluded.${quoted(name)}`).join('')
    return `on conflict (${key.map(quoted).join(', ')}) do update set ${quoted(column)} = null${replaced}`
  }
  if (!part.counts) return 'on conflict do nothing'
  // A record may name one row twice: what counts is what came.
  const counted = new Set(part.counts.flatMap(({ of, unless }) => (unless === undefined ? [of] : [of, unless])))
  return `on conflict do nothing returning ${[...counted].map(quoted).join(', ')}`
}

/** The marks of records that came and went within one batch: as if they had been two. */
export function passingPartRows(
  plugin: RecordPlugin,
  passing: AddedRow['context'],
  shapes: TableShapes,
  deletedAt: string,
): Statement[] {
  return (plugin.parts ?? []).flatMap((part) => {
    const mark = part.markDeleted
    const rows = mark ? partRows(part.table, part.toRows(passing), shapes) : []
    if (!mark || rows.length === 0) return []
    const marked = rows.map((row) => ({ ...row, [mark.column]: deletedAt }))
    return [
      insertRows({ table: part.table, shape: shapes.get(part.table)!, rows: marked, suffix: 'on conflict do nothing' }),
    ]
  })
}
