import type { Database } from '@millrace/database'
import type { ProgressWatch } from '@millrace/diagnosis'
import { cursorKey, INGESTER_DONE, silentLogger, type Logger, type StreamStore } from '@millrace/stream-protocol'
import type { Away } from './admin-sources.ts'
import { databaseReport } from './database-report.ts'
import { findProblems } from './problems.ts'
import type { CursorReport, Problem, ProblemCode, Status } from './status.ts'
import { streamReport } from './stream-report.ts'

/** A place whose cursor is of interest: a host, as it was configured, and the stream that its events go to. */
export interface CursorOf {
  stream: string
  host: string
}

/** Where a status is collected from. */
export interface StatusSources {
  store: StreamStore | Away
  /** Names of streams. */
  streams: readonly string[]
  cursors?: readonly CursorOf[]
  /** Judges groups. Without it their reports have no verdict. */
  watch?: ProgressWatch | undefined
  database?: Database | Away | undefined
  logger?: Logger
}

/**
 * Asks the store and the database how they stand. Never rejects: a part that does not answer is left out, and named
 * among the problems, because a status is read most when something is away.
 */
export async function collectStatus({
  store,
  streams,
  cursors = [],
  watch,
  database,
  logger = silentLogger,
}: StatusSources): Promise<Status> {
  const now = Date.now()
  const away: Problem[] = []
  const part = async <T>(code: ProblemCode, message: string, ask: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      // What went wrong is in the log; an answer to a request has nothing internal in it (hazard M8).
      logger.warn({ err: error, part: code }, 'a part of the status is missing')
      away.push({ code, message })
      return otherwise
    }
  }
  const [streamReports, cursorReports, database_] = await Promise.all([
    part(
      'streams-away',
      'the stream store does not tell how its streams stand',
      () => there(store).status(streams),
      [],
    ),
    part('cursors-away', 'the stream store does not give its cursors', () => readCursors(there(store), cursors), []),
    database &&
      part(
        'database-away',
        'the database does not tell how its bookkeeping stands',
        () => databaseReport(there(database), now),
        undefined,
      ),
  ])
  const parts = {
    streams: streamReports.map((report) => streamReport(report, now, watch)),
    ...(database_ && { database: database_ }),
  }
  const problems = [...away, ...findProblems(parts)]
  return {
    status: away.length > 0 ? 'failing' : problems.length > 0 ? 'degraded' : 'ok',
    checkedAt: new Date(now).toISOString(),
    problems,
    store: { kind: store.kind, location: store.location },
    ...parts,
    cursors: cursorReports,
  }
}

/** What is away does not answer. It throws where it is asked: there a failure is told. */
function there<T extends object>(store: T | Away): T {
  if ('why' in store) throw new Error(store.why)
  return store
}

async function readCursors(store: StreamStore, cursors: readonly CursorOf[]): Promise<CursorReport[]> {
  return Promise.all(
    cursors.map(async ({ stream, host }) => {
      const cursor = await store.cursors.get(cursorKey(stream, host))
      return { stream, host, ...(cursor !== null && { cursor }), done: cursor === INGESTER_DONE }
    }),
  )
}
