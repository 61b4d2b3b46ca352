import { openDatabase } from '@millrace/database'
import { recount, type RecountReport } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { ConfigError } from '@millrace/runtime'
import { explainFailure, type CommandHost } from '../command-host.ts'
import { findDatabase } from '../find-database.ts'
import { ProgressLine } from '../progress-line.ts'
import type { RecountCommandOptions } from './options.ts'
import { renderProgress, renderReport } from './render.ts'

/** Nobody waits for it, and one subject may have millions of rows. */
const PATIENCE_MS = 600_000

/**
 * Recounts what the plugins of app.bsky count, and prints what was found.
 * @returns the exit code.
 */
export async function runRecount(options: RecountCommandOptions, host: CommandHost): Promise<number> {
  const { dryRun, json } = options
  try {
    checkAfter(options)
    const { location, report } = await recountIn(options, host)
    host.stdout.write(
      json
        ? `${JSON.stringify({ dryRun, database: location, ...report }, undefined, 2)}\n`
        : `${location}\n${renderReport(report, dryRun).join('\n')}\n`,
    )
    if (report.stoppedAt) return 130
    return dryRun && report.columns.some(({ wrong }) => wrong > 0) ? 1 : 0
  } catch (error) {
    return explainFailure(error, host.stderr)
  }
}

function checkAfter({ after, subjects, tables }: RecountCommandOptions): void {
  if (!after) return
  if (subjects.length > 0) throw new ConfigError(['--after is for all subjects, not for some'])
  if (tables.length > 0 && !tables.includes(after.table))
    throw new ConfigError([`--after is in ${after.table}, which --table leaves out`])
}

async function recountIn(
  { subjects, tables, after, dryRun, samples, database: wanted, data }: RecountCommandOptions,
  { env, stderr, signal }: CommandHost,
): Promise<{ location: string; report: RecountReport }> {
  const { url, schema } = await findDatabase({ url: wanted, env, data })
  await using database = await openDatabase({
    url,
    schema,
    poolSize: 2,
    pipeline: true,
    statementTimeoutMs: PATIENCE_MS,
    lockTimeoutMs: PATIENCE_MS,
    applicationName: 'millrace-recount',
  })
  using progress = new ProgressLine({ output: stderr })
  const report = await recount({
    database,
    plugins: appBskyPlugins,
    dryRun,
    samples,
    signal,
    onProgress: (done) => progress.show(renderProgress(done)),
    ...(subjects.length > 0 && { subjects }),
    ...(tables.length > 0 && { tables }),
    ...(after && { after }),
  })
  return { location: database.location, report }
}
