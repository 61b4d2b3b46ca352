import { packageVersion, ConfigError, describeError } from '@millrace/runtime/command'
import { Command, InvalidArgumentError, Option } from 'commander'
import { positive, wholeNumber } from '../arguments.ts'
import { stopSignal } from '../stop-signal.ts'
import type { UpOptions } from './options.ts'
import { renderSummary } from './summary.ts'

function host(text: string): string {
  const url = /^[a-z]+:\/\//.test(text) ? text : `https://${text}`
  if (!URL.canParse(url)) throw new InvalidArgumentError('not a host')
  return url
}

function collectHosts(text: string, before: string[]): string[] {
  return [...before, host(text)]
}

/** `millrace up`: all roles in one process. */
export function upCommand(): Command {
  return new Command('up')
    .description('Run the whole pipeline in this process, on a simulated network or on the live one.')
    .addOption(new Option('--network <kind>', 'where the records come from').choices(['sim', 'live']).default('sim'))
    .option('--relay <url>', 'relay of the live network', host, 'https://bsky.network')
    .option('--labeler <url...>', 'labelers of the live network', collectHosts, [])
    .option('--repos <n>', 'backfill no more than so many repos', positive)
    .option('--accounts <n>', 'accounts of the simulated network', positive, 50)
    .option('--records <n>', 'records that each of them has from the start', wholeNumber, 40)
    .option('--seed <n>', 'the same seed makes the same simulated network', wholeNumber, 1)
    .option('--rate <n>', 'records a second that the simulated network goes on writing', wholeNumber, 20)
    .option(
      '--events <n>',
      'records that it writes altogether (default: no end; 200 with --exit-when-idle)',
      wholeNumber,
    )
    .addOption(
      new Option(
        '--streams <store>',
        'what holds the streams (default: Redis when REDIS_URL or REDIS_HOST is set, else SQLite)',
      ).choices(['sqlite', 'redis']),
    )
    .option(
      '--data <folder>',
      'folder for everything that is kept in files',
      process.env['MILLRACE_DATA_DIR'] ?? '.millrace',
    )
    .option('--reset', 'remove that folder first', false)
    .option('--exit-when-idle', 'end once everything that was listed, streamed and backfilled is indexed', false)
    .option('--json', 'print the summary as JSON, on standard output', false)
    .option('--admin-port <n>', 'port of the admin server; metrics are on the next one (0: any)', wholeNumber, 4030)
    .addHelpText(
      'after',
      `
Environment:
  REDIS_URL, REDIS_HOST        streams in this Redis
  DB_POSTGRES_URL              rows in this Postgres, schema DB_POSTGRES_SCHEMA (default bsky)
  DID_PLC_URL                  directory of DIDs (default https://plc.directory)

Examples:
  millrace up                                      a simulated network, nothing to set up
  millrace up --exit-when-idle --json              the same, to its end, with a summary
  millrace up --network live --repos 200           the live network, with 200 whole repos`,
    )
    .action(async (flags: Record<string, unknown>) => {
      process.exitCode = await up(readOptions(flags))
    })
}

function readOptions(flags: Record<string, unknown>): UpOptions {
  return {
    network: flags['network'] as UpOptions['network'],
    relay: flags['relay'] as string,
    labelers: flags['labeler'] as string[],
    repos: flags['repos'] as number | undefined,
    accounts: flags['accounts'] as number,
    recordsPerAccount: flags['records'] as number,
    seed: flags['seed'] as number,
    rate: flags['rate'] as number,
    events: flags['events'] as number | undefined,
    streams: flags['streams'] as UpOptions['streams'],
    data: flags['data'] as string,
    reset: flags['reset'] as boolean,
    exitWhenIdle: flags['exitWhenIdle'] as boolean,
    json: flags['json'] as boolean,
    adminPort: flags['adminPort'] as number,
  }
}

async function up(options: UpOptions): Promise<number> {
  using stop = stopSignal()
  try {
    // All of the pipeline, which help does not need.
    const { runUp } = await import('./run-up.ts')
    const summary = await runUp({
      up: options,
      env: process.env,
      version: packageVersion(import.meta.filename),
      output: process.stderr,
      signal: stop.signal,
    })
    process.stdout.write(options.json ? `${JSON.stringify(summary, undefined, 2)}\n` : `${renderSummary(summary)}\n`)
    return 0
  } catch (error) {
    if (stop.signal.aborted && (error as Error).name === 'AbortError') return 0
    const problems = error instanceof ConfigError ? error.problems : [describeError(error)]
    for (const problem of problems) process.stderr.write(`millrace: ${problem}\n`)
    return error instanceof ConfigError ? 2 : 1
  }
}
