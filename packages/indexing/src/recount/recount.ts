import { classifyError, lockKey, type Database } from '@millrace/database'
import { Backoff, silentLogger, sleep, type Logger } from '@millrace/stream-protocol'
import type { Pool } from 'pg'
import { writeCounts } from '../apply/write-effects.ts'
import { checkCountTables, countTables, type CountTable } from '../count-tables.ts'
import { CountDeltas } from '../counts.ts'
import type { RecordPlugin } from '../plugin.ts'
import { transaction, type Statement } from '../session.ts'
import { readTableShapes, type TableShapes } from '../table-shape.ts'
import { demandIndexes } from './demand-indexes.ts'
import { nextSubjects, readLooked, subjectColumns, theseSubjects, type Looked } from './look.ts'
import { emptyColumns, tally, type RecountedColumn } from './report.ts'

/** How far a recount has come: all tables before this one, and in it all subjects up to this one. */
export interface RecountPosition {
  table: string
  /** Left out at the start of the table. */
  subject?: string
}

export interface RecountOptions {
  database: Database
  plugins: readonly RecordPlugin[]
  /** Only these tables of counts. @default all that the plugins count in */
  tables?: readonly string[]
  /** Only these subjects. @default all there are */
  subjects?: readonly string[]
  /** Go on where an earlier one stopped; not with `subjects`. */
  after?: RecountPosition
  /** Look, and correct nothing: takes no locks. @default false */
  dryRun?: boolean
  /** How long one transaction may take, in milliseconds, whatever the database is opened with. @default as it is opened */
  patienceMs?: number
  /** Subjects in one transaction. @default 500 */
  chunk?: number
  /** Wrong counts to report of each column. @default 10 */
  samples?: number
  logger?: Logger
  /** Ends it after the chunk in hand. */
  signal?: AbortSignal
  /** Told after each chunk. */
  onProgress?: (progress: RecountProgress) => void
}

/** How far a recount is. */
export interface RecountProgress {
  position: RecountPosition
  /** Subjects, and wrong counts of theirs, so far. */
  checked: number
  wrong: number
}

/** What a recount has found: by column, how many counts were wrong, with examples. */
export interface RecountReport {
  columns: RecountedColumn[]
  /** Where to go on, when the signal ended it. */
  stoppedAt?: RecountPosition
}

/** Failures in a row, of a Postgres that is away or busy, until a recount gives up. */
const MAX_RETRIES = 8

/**
 * Compares every count with what counting its rows gives, and corrects what is wrong, while indexers go on writing
 * (hazard A7).
 *
 * It is exact because a writer commits rows and counts together. One statement sees one moment, so the difference that
 * it finds is there before a writer's commit as after it. It is added, as writers add theirs, under the lock of the
 * count's row and in the same order: no one's change is lost, and nobody waits longer than for the writing itself. Were
 * the count set, it would be that of the moment of counting, and whoever commits between would be forgotten. Two
 * recounts that find one difference would both add it, so these take turns.
 */
export async function recount(options: RecountOptions): Promise<RecountReport> {
  const { database, subjects, after, dryRun = false, chunk = 500, samples = 10 } = options
  const { patienceMs, signal, onProgress } = options
  const tables = chosenTables(options)
  const shapes = await readTableShapes(database.pool, tables.flatMap(tableNames))
  checkCountTables(tables, shapes)
  await demandIndexes(database.pool, tables.flatMap(subjectColumns))

  const columns: RecountedColumn[] = []
  const progress = { checked: 0, wrong: 0 }
  for (const table of tables) {
    const found = emptyColumns(table)
    columns.push(...found)
    let position: RecountPosition = after?.table === table.table ? after : { table: table.table }
    for (let start = 0; ; start += chunk) {
      if (signal?.aborted) return { columns, stoppedAt: position }
      const listed = subjects?.slice(start, start + chunk)
      if (listed?.length === 0) break
      const look = listed ? theseSubjects(table, listed) : nextSubjects(table, position.subject, chunk)
      const looked = await insist(options, () =>
        recountSome({ pool: database.pool, shapes, table, look, dryRun, patienceMs }),
      )
      const last = looked.at(-1)
      if (last) position = { table: table.table, subject: last.subject }
      // Of a subject that was asked for, nothing need be known in this table.
      const known = listed ? looked.filter(({ kept, counted }) => kept || counted.some((count) => count > 0)) : looked
      progress.checked += known.length
      progress.wrong += tally(found, known, samples)
      logNegative(options, table, known)
      onProgress?.({ position, ...progress })
      if (!listed && looked.length < chunk) break
    }
  }
  return { columns }
}

function chosenTables({ plugins, tables: wanted, after }: RecountOptions): CountTable[] {
  const tables = countTables(plugins)
  const names = tables.map(({ table }) => table)
  const unknown = wanted?.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new RangeError(`nothing is counted in ${unknown}, but in ${names.join(', ')}`)
  const chosen = tables.filter(({ table }) => wanted?.includes(table) ?? true)
  const start = after ? chosen.findIndex(({ table }) => table === after.table) : 0
  if (start < 0) throw new RangeError(`cannot go on in ${after!.table}: it is not recounted`)
  return chosen.slice(start)
}

function tableNames({ table, columns }: CountTable): string[] {
  return [table, ...columns.flatMap(({ rows }) => rows.map((each) => each.table))]
}

interface SomeSubjects {
  pool: Pool
  shapes: TableShapes
  table: CountTable
  look: Statement
  dryRun: boolean
  patienceMs: number | undefined
}

/** One transaction: what a look finds, corrected. */
async function recountSome({ pool, shapes, table, look, dryRun, patienceMs }: SomeSubjects): Promise<Looked[]> {
  return transaction(pool, async (session) => {
    const [, , , rows] = await session.all([
      patienceMs === undefined
        ? undefined
        : {
            text: `select set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true)`,
            values: [String(patienceMs)],
          },
      // Compiling a look takes longer than the look.
      { text: `select set_config('jit', 'off', true)`, values: [] },
      dryRun
        ? undefined
        : { text: 'select pg_advisory_xact_lock($1)', values: [lockKey('job', `recount ${table.table}`)] },
      // A statement of its own, after the one that waits: it sees what the recount before us has corrected.
      look,
    ])
    const looked = readLooked(table, rows)
    if (!dryRun) await session.all(writeCounts(differences(table, looked), shapes))
    return looked
  })
}

function differences({ table, key, columns }: CountTable, looked: readonly Looked[]): CountDeltas {
  const deltas = new CountDeltas()
  for (const { subject, stored, counted } of looked) {
    for (const [index, { column }] of columns.entries()) {
      const difference = counted[index]! - stored[index]!
      if (difference !== 0) deltas.add({ table, key, column }, subject, difference)
    }
  }
  return deltas
}

/** A negative count is a mistake of ours: said as such, wherever it came from (hazard A5). */
function logNegative(
  { logger = silentLogger }: RecountOptions,
  { table, columns }: CountTable,
  looked: readonly Looked[],
): void {
  for (const [index, { column }] of columns.entries()) {
    const negative = looked.filter(({ stored }) => stored[index]! < 0)
    if (negative.length === 0) continue
    const [{ subject, stored, counted }] = negative as [Looked]
    logger.error(
      { table, column, subjects: negative.length, subject, stored: stored[index], counted: counted[index] },
      'counts are below zero',
    )
  }
}

/** What a service that is away or busy refused is asked for again. */
async function insist<T>({ logger = silentLogger, signal }: RecountOptions, work: () => Promise<T>): Promise<T> {
  const backoff = new Backoff({ minMs: 100, maxMs: 10_000 })
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (classifyError(error) !== 'transient' || backoff.attempt >= MAX_RETRIES || signal?.aborted) throw error
      const waitMs = Math.round(backoff.nextMs())
      logger.warn({ err: error, waitMs }, 'cannot recount some subjects; trying again')
      await sleep(waitMs, signal)
    }
  }
}
