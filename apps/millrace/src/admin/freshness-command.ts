import type { GetFreshnessOutput } from '@millrace/admin-api'
import { Command, InvalidArgumentError, Option } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readMoment } from '../repair/moment.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

/** `millrace freshness`: which hours have no rows? */
export function freshnessCommand(): Command {
  return withApiOptions(new Command('freshness'))
    .description('Rows of each hour or day, by the time that readers sort on: holes show. Posts, reposts and labels.')
    .option('--since <when>', 'a date, an RFC 3339 time, or so long ago, such as 10d (default: 1d)', since)
    .addOption(new Option('--by <bucket>', 'rows of each').choices(['hour', 'day']).default('hour'))
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nIt counts by index, and only up to a bound in each bucket: hot tables are not read through.`,
    )
    .action((flags: { since?: Date; by: string }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) =>
            api.call('getFreshness', { bucket: flags.by, since: flags.since?.toISOString() }, signal),
          render: renderFreshness,
          code: ({ series }) => (series.some(({ buckets }) => buckets.some(({ isHole }) => isHole)) ? 1 : 0),
        }),
      ),
    )
}

function since(text: string): Date {
  const found = readMoment(text, Date.now())
  if (!found) throw new InvalidArgumentError('neither a date, an RFC 3339 time nor a time span such as 10d')
  return found
}

const blocks = '▁▂▃▄▅▆▇█'
/** Buckets on a line: a day of hours. */
const WIDTH = 24

/** Rows as strips, a day of hours to a line. A function of values. */
export function renderFreshness({ series, bucketSeconds, bound }: GetFreshnessOutput): string[] {
  const lines = series.flatMap(({ collection, newest, buckets }) => {
    const most = Math.max(0, ...buckets.map(({ rows }) => rows))
    const strips = []
    for (let at = 0; at < buckets.length; at += WIDTH) {
      const part = buckets.slice(at, at + WIDTH)
      strips.push(`  ${moment(part[0]!.start)}  ${part.map((bucket) => block(bucket, most)).join('')}`)
    }
    const holes = buckets.filter(({ isHole }) => isHole)
    return [
      `${shown(collection)}: newest ${moment(newest)}${most >= bound ? `, ${bound} or more in the fullest` : most === 0 ? ', no rows in this time' : `, ${most} in the fullest`}`,
      ...strips,
      ...holes.slice(0, 10).map(({ start, rows }) => `  hole: ${moment(start)}, ${rows} rows`),
      ...(holes.length > 10 ? [`  and ${holes.length - 10} more`] : []),
    ]
  })
  const unit = bucketSeconds === 3_600 ? 'an hour' : 'a day'
  return [...lines, `Each sign is ${unit} (UTC); · has no rows, ! is a hole.`]
}

function block({ rows, isHole }: { rows: number; isHole: boolean }, most: number): string {
  if (isHole) return '!'
  if (rows === 0) return '·'
  return blocks[Math.min(blocks.length - 1, Math.floor((rows / most) * blocks.length))]!
}
