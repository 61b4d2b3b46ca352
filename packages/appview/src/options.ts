import { parseArgs } from 'node:util'
import { ConfigError } from '@millrace/runtime'
import type { RunAppViewOptions } from './run-app-view.ts'

/** What an AppView was asked for on its command line. */
export interface CommandLine {
  relay: string | undefined
  data: string | undefined
  port: number
  exitWhenIdle: boolean
  json: boolean
}

type Described = Pick<RunAppViewOptions, 'name' | 'description' | 'port' | 'simulate'>

/** Of the page and of XRPC, where nothing else is said. */
const USUAL_PORT = 4100

/** What `--help` prints. */
export function helpOf({ name, description, port = USUAL_PORT, simulate }: Described): string {
  return `${description}

  --relay <url>       the real network, by a relay that lists repos by collection, such as
                      https://relay1.us-west.bsky.network${simulate ? ' (default: a simulated network on this machine)' : ''}
  --data <folder>     where streams and rows are kept (default: .millrace/${name}${simulate ? '; with a simulated network a\n                      temporary folder, for it is another network each time' : ''})
  --port <n>          of the HTTP server, on this machine (default: ${port}; 0: any)
  --exit-when-idle    end once all that was listed and streamed is indexed, and say what that was
  --json              say it as JSON
  --help

With --relay, DID_PLC_URL and HANDLE_RESOLVER_URL name a directory and a resolver of your own, and
MILLRACE_ALLOW_PRIVATE_HOSTS=1 allows hosts of this machine: what \`millrace-dev-network\` prints, for one.
`
}

/** @throws {ConfigError} with what is wrong, in words for whoever has typed it. */
export function readOptions(args: readonly string[], { port = USUAL_PORT, simulate }: Described): CommandLine | 'help' {
  const values = parse(args)
  if (values.help) return 'help'
  const { relay, data, port: portText, json, 'exit-when-idle': exitWhenIdle } = values
  if (relay === undefined && !simulate) throw new ConfigError(['--relay is missing: which network?'])
  if (relay !== undefined && !/^https?:/.test(URL.parse(relay)?.protocol ?? ''))
    throw new ConfigError([`--relay is no http or https URL: ${relay}`])
  if (portText !== undefined && !(/^\d{1,5}$/.test(portText) && Number(portText) <= 65_535))
    throw new ConfigError([`--port is no whole number from 0 to 65535: ${portText}`])
  return { relay, data, port: portText === undefined ? port : Number(portText), exitWhenIdle, json }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        relay: { type: 'string' },
        data: { type: 'string' },
        port: { type: 'string' },
        'exit-when-idle': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new ConfigError([(error as Error).message])
  }
}
