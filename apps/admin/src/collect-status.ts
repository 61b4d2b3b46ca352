import { isGroupPaused, problemKinds, valueOf, type ProblemCode, type WatchedProblem } from '@millrace/diagnosis'
import { cursorKey, INGESTER_DONE, silentLogger, type StreamStore } from '@millrace/stream-protocol'
import type { AdminSources, Away } from './admin-sources.ts'
import { databaseReport } from './database-report.ts'
import { lookNow } from './look.ts'
import { withAccounts } from './methods/pauses.ts'
import { problemReports } from './problem-report.ts'
import type { CursorReport, Status } from './status.ts'
import { streamReport } from './stream-report.ts'

/** A place whose cursor is of interest: a host, as it was configured, and the stream that its events go to. */
export interface CursorOf {
  stream: string
  host: string
}

/**
 * Asks the store and the database how they stand. Never rejects: a part that does not answer is left out, and named
 * among the problems, because a status is read most when something is away.
 */
export async function collectStatus(sources: AdminSources): Promise<Status> {
  const { store, database, cursors = [], watch, logger = silentLogger } = sources
  const look = await lookNow(sources)
  const { now } = look.facts
  const isKnown = look.facts.store.ok && look.facts.database?.ok !== false
  const lost: WatchedProblem[] = []
  const part = async <T>(code: ProblemCode, message: string, ask: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      // What went wrong is in the log; an answer to a request has nothing internal in it (hazard M8).
      logger.warn({ err: error, part: code }, 'a part of the status is missing')
      lost.push(partProblem(code, message, now))
      return otherwise
    }
  }
  const held = valueOf(look.facts.database)?.bookkeeping?.pauses ?? []
  const isPaused = (stream: string, group: string): boolean => isGroupPaused({ stream, group }, held, sources.declared)
  const [cursorReports, kept] = await Promise.all([
    look.facts.store.ok && !isAway(store)
      ? part('store-away', 'the stream store does not give its cursors', () => readCursors(store, cursors), [])
      : [],
    look.facts.database?.ok && database && !isAway(database)
      ? part(
          'database-away',
          'the database does not tell how its bookkeeping stands',
          async () => {
            const [report, pauses] = await Promise.all([databaseReport(database, now), withAccounts(database, held)])
            return { database: report, pauses }
          },
          undefined,
        )
      : undefined,
  ])
  const missing = lost.filter(({ code }) => !explains(look.problems, code))
  const problems = problemReports([...missing, ...look.problems])
  return {
    status: !isKnown || lost.length > 0 ? 'failing' : problems.length > 0 ? 'degraded' : 'ok',
    checkedAt: new Date(now).toISOString(),
    problems,
    store: { kind: store.kind, location: store.location },
    streams: (valueOf(look.facts.store)?.streams ?? []).map((status) => streamReport(status, now, { watch, isPaused })),
    ...kept,
    cursors: cursorReports,
  }
}

function isAway(store: object): store is Away {
  return 'why' in store
}

/** Who has answered a moment ago does not now. */
function partProblem(code: ProblemCode, message: string, now: number): WatchedProblem {
  const { severity } = problemKinds[code]
  const meaning = 'It answers other questions: this part of the status is missing.'
  return { code, severity, subject: '', check: code, message, meaning, command: 'millrace doctor', since: now }
}

/** A schema that is not ours has no bookkeeping to tell of. */
function explains(problems: readonly WatchedProblem[], code: ProblemCode): boolean {
  return code === 'database-away' && problems.some(({ check }) => check === 'migrations')
}

async function readCursors(store: StreamStore, cursors: readonly CursorOf[]): Promise<CursorReport[]> {
  return Promise.all(
    cursors.map(async ({ stream, host }) => {
      const cursor = await store.cursors.get(cursorKey(stream, host))
      return { stream, host, ...(cursor !== null && { cursor }), done: cursor === INGESTER_DONE }
    }),
  )
}
