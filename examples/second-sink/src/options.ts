import { parseArgs } from 'node:util'

export const help = `A second database, added to a pipeline that runs: backfilled, then live, with nothing lost to either.

npm run example -- second-sink [options]

  --accounts <n>      of the simulated network (default: 20)
  --redis <url>       keep the streams in this Redis, in place of a SQLite file; it has to be empty
  --exit-when-idle    end once both databases were compared; without it both go on side by side until Ctrl-C
  --json              print what happened as JSON
  --help

Exit codes: 0 when the databases hold the same rows, and all records of the network; 1 otherwise.
`

export interface Options {
  accounts: number
  redis: string | undefined
  exitWhenIdle: boolean
  json: boolean
}
/** @throws {TypeError} with what is wrong, in words for whoever has typed it. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accounts: { type: 'string', default: '20' },
      redis: { type: 'string' },
      'exit-when-idle': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const { accounts, redis, json } = values
  if (!/^\d{1,4}$/.test(accounts)) throw new TypeError(`--accounts is no whole number up to 9999: ${accounts}`)
  if (redis !== undefined && !/^rediss?:/.test(URL.parse(redis)?.protocol ?? ''))
    throw new TypeError('--redis is no redis URL')
  return { accounts: Number(accounts), redis, exitWhenIdle: values['exit-when-idle'], json }
}
