import type { RecountColumn } from '@millrace/admin-api'
import { ConfigError } from '@millrace/runtime/command'
import type { FoundApi } from '../admin/find-api.ts'
import { didsAndUrisOf } from '../admin/read-subjects.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import { ProgressLine } from '../progress-line.ts'
import { addColumns } from './add-columns.ts'
import type { RecountCommandOptions } from './options.ts'
import { renderProgress, renderReport, type RecountAnswer } from './render.ts'

/** Subjects in one request. */
const BATCH = 500

/**
 * Recounts what the plugins of app.bsky count, a request after the other, and prints what was found.
 * @returns the exit code.
 */
export async function runRecount(options: RecountCommandOptions, host: CommandHost): Promise<number> {
  const { dryRun } = options
  return await runApiCommand(options, host, {
    ask: async (api) => {
      checkAfter(options)
      const subjects = await didsAndUrisOf(options.subjects, api)
      return await recountAll({ ...options, subjects }, host, api)
    },
    render: renderReport,
    code: ({ columns, stoppedAt }) => {
      if (stoppedAt !== undefined) return 130
      return dryRun && columns.some(({ wrong }) => wrong > 0) ? 1 : 0
    },
  })
}

function checkAfter({ after, subjects, tables }: RecountCommandOptions): void {
  if (after === undefined) return
  if (subjects.length > 0) throw new ConfigError(['--after is for all subjects, not for some'])
  const [table = ''] = after.split('/', 1)
  if (tables.length > 0 && !tables.includes(table))
    throw new ConfigError([`--after is in ${table}, which --table leaves out`])
}

async function recountAll(
  { subjects, tables, after, dryRun, samples, reason }: RecountCommandOptions,
  { stderr, signal }: CommandHost,
  api: FoundApi,
): Promise<RecountAnswer> {
  using progress = new ProgressLine({ output: stderr })
  let columns: RecountColumn[] = []
  const ask = async (more: {
    subjects?: readonly string[]
    cursor?: string | undefined
  }): Promise<string | undefined> => {
    const wanted = { ...more, tables: tables.length > 0 ? tables : undefined, samples, dryRun, reason }
    // What was begun is told, also when we are stopped over it: who is asked ends with the chunk in hand, or goes on a bit.
    const answer = await api.call('recount', wanted, api.isDirect ? signal : undefined)
    columns = addColumns(columns, answer.columns, samples)
    progress.show(renderProgress(columns, answer.cursor))
    return answer.cursor
  }
  for (let start = 0; start < subjects.length; start += BATCH) {
    if (signal.aborted) return { dryRun, columns, stoppedAt: `subject ${start + 1}` }
    await ask({ subjects: subjects.slice(start, start + BATCH) })
  }
  if (subjects.length > 0) return { dryRun, columns }
  let cursor = after
  do {
    if (signal.aborted) return { dryRun, columns, ...(cursor !== undefined && { stoppedAt: cursor }) }
    cursor = await ask({ cursor })
  } while (cursor !== undefined)
  return { dryRun, columns }
}
