import { parseArgs } from 'node:util'

export const help = `An AppView for xyz.statusphere.status: who has which status now.

npm run example -- statusphere [options]

  --relay <url>       the real network, by a relay that lists repos by collection, such as
                      https://relay1.us-west.bsky.network (default: a simulated network on this machine)
  --data <folder>     where streams and rows are kept (default: .millrace/statusphere; with a simulated network a
                      temporary folder, for it is another network each time)
  --port <n>          of the page and of XRPC (default: 4100; 0: any)
  --accounts <n>      of the simulated network; a third of them have a status from the start (default: 60)
  --exit-when-idle    end once all that was listed and streamed is indexed, and say what that was
  --json              say it as JSON
  --help

With --relay, DID_PLC_URL and HANDLE_RESOLVER_URL name a directory and a resolver of your own, and
MILLRACE_ALLOW_PRIVATE_HOSTS=1 allows hosts of this machine: what \`millrace-dev-network\` prints, for one.
`

export interface Options {
  relay: string | undefined
  data: string | undefined
  port: number
  accounts: number
  exitWhenIdle: boolean
  json: boolean
}

/** @throws {TypeError} with what is wrong, in words for whoever has typed it. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      relay: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string', default: '4100' },
      accounts: { type: 'string', default: '60' },
      'exit-when-idle': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const { relay, data } = values
  if (relay !== undefined && !/^https?:/.test(URL.parse(relay)?.protocol ?? ''))
    throw new TypeError(`--relay is no http or https URL: ${relay}`)
  return {
    relay,
    data,
    port: wholeNumber('--port', values.port, 0, 65_535),
    accounts: wholeNumber('--accounts', values.accounts, 1, 10_000),
    exitWhenIdle: values['exit-when-idle'],
    json: values.json,
  }
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < min || number > max)
    throw new TypeError(`${name} is no whole number from ${min} to ${max}: ${text}`)
  return number
}
