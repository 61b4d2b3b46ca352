import { countTables, recount as recountSome, type RecountPosition } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { isDid } from '@millrace/stream-protocol'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, wouldChange } from './method.ts'

/** How long one call goes on, in milliseconds: whoever asks goes on where it ended. */
const CALL_MS = 20_000
/** One subject may have millions of rows. */
const PATIENCE_MS = 600_000
/** Subjects in one transaction: few, so that the end of a call does not wait for long. */
const CHUNK = 100

export const recount = defineMethod({
  name: 'recount',
  role: 'operator',
  run: async ({ subjects, tables, samples = 10, cursor, reason, dryRun = false }, context) => {
    check({ subjects, tables, cursor })
    const after = cursor === undefined ? undefined : positionOf(cursor)
    const look = async () => {
      const { columns, stoppedAt } = await recountSome({
        database: databaseOf(context),
        plugins: appBskyPlugins,
        dryRun,
        samples,
        chunk: CHUNK,
        patienceMs: PATIENCE_MS,
        signal: AbortSignal.any([AbortSignal.timeout(CALL_MS), ...(context.signal ? [context.signal] : [])]),
        ...(subjects && { subjects }),
        ...(tables && tables.length > 0 && { tables }),
        ...(after && { after }),
      })
      const wrong = columns.reduce((sum, column) => sum + column.wrong, 0)
      return { columns, wrong, ...(stoppedAt && { cursor: cursorOf(stoppedAt) }) }
    }
    if (dryRun) {
      const { wrong, ...found } = await look()
      return { change: wouldChange(wrong, summaryOf(wrong)), ...found }
    }
    let found: Omit<Awaited<ReturnType<typeof look>>, 'wrong'> = { columns: [] }
    const change = await audited(context, describe({ subjects, tables, cursor, reason }), async () => {
      const { wrong, ...rest } = await look()
      found = rest
      return { changed: wrong, summary: summaryOf(wrong) }
    })
    return { change, ...found }
  },
})

interface Wanted {
  subjects?: readonly string[] | undefined
  tables?: readonly string[] | undefined
  cursor?: string | undefined
}

function check({ subjects, tables, cursor }: Wanted): void {
  const known = countTables(appBskyPlugins).map(({ table }) => table)
  const refuse = (message: string): never => {
    throw new MethodError('InvalidRequest', message)
  }
  const unknown = tables?.find((name) => !known.includes(name))
  if (unknown !== undefined) refuse(`nothing is counted in ${unknown}, but in ${known.join(' and ')}`)
  for (const subject of subjects ?? [])
    if (!isDid(subject) && !/^at:\/\/[^/]+/.test(subject)) refuse(`${subject} is neither a DID nor an AT-URI`)
  if (cursor === undefined) return
  const { table } = positionOf(cursor)
  if (subjects) refuse('a cursor is for all subjects, not for some')
  if (!known.includes(table) || (tables && tables.length > 0 && !tables.includes(table)))
    refuse('the cursor is not one that a call with these tables has ended with')
}

function describe({ subjects, tables, cursor, reason }: Wanted & { reason: string | undefined }) {
  const of = subjects ? (subjects.length === 1 ? subjects[0]! : `${subjects.length} subjects`) : 'all subjects'
  return {
    method: 'recount',
    target: tables && tables.length > 0 ? `${of} in ${tables.join(', ')}` : of,
    reason,
    before: cursor === undefined ? null : { cursor },
  }
}

function summaryOf(wrong: number): string {
  return wrong === 1 ? '1 count was wrong' : `${wrong} counts were wrong`
}

/** A position as one word: `post_agg`, or `post_agg/at://…`. */
function cursorOf({ table, subject }: RecountPosition): string {
  return subject === undefined ? table : `${table}/${subject}`
}

function positionOf(cursor: string): RecountPosition {
  const slash = cursor.indexOf('/')
  return slash < 0 ? { table: cursor } : { table: cursor.slice(0, slash), subject: cursor.slice(slash + 1) }
}
