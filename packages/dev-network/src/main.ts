#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { type RecordedNetwork, startRecordedNetwork } from './recorded-network.ts'
import { type SimulatedNetwork, startSimulatedNetwork } from './simulated-network.ts'

const help = `Starts an AT Protocol network on loopback and prints where it is, until it is stopped with Ctrl-C.

millrace-dev-network [options]                      a simulated network that writes live traffic
millrace-dev-network --recording <folder> [options] a recorded network, such as fixtures/network-basic

  --accounts <n>            accounts, the last of them the labeler (default 50)
  --records <n>             records of each account before the start (default 40)
  --seed <n>                the same seed gives the same accounts (default 1)
  --pds-hosts <n>           (default 2)
  --labels <n>              labels before the start (default 30)
  --rate <n>                operations per second, 0 for none (default 20)
  --port <n>                the relay's port; the other hosts take the next ones (default: any free ones)
  --fixed-time              end the history on a fixed day instead of now: everything depends on the seed alone
  --frames-per-second <n>   speed of a recorded firehose (default: as fast as it is read)
  --help

The first line is JSON; the lines after it are the environment that points the apps here.
`

const { values } = parseArgs({
  options: {
    recording: { type: 'string' },
    accounts: { type: 'string', default: '50' },
    records: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    'pds-hosts': { type: 'string', default: '2' },
    labels: { type: 'string', default: '30' },
    rate: { type: 'string', default: '20' },
    port: { type: 'string', default: '0' },
    'fixed-time': { type: 'boolean', default: false },
    'frames-per-second': { type: 'string', default: 'Infinity' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

  if (values.recording !== undefined) {
    await using network = await startRecordedNetwork({
      folder: values.recording,
      port: number('port'),
      framesPerSecond: number('frames-per-second'),
    })
    print(network)
    await aborted(stop.signal)
    return
  }
  const rate = number('rate')
  await using network = await startSimulatedNetwork({
    accounts: number('accounts'),
    recordsPerAccount: number('records'),
    seed: number('seed'),
    pdsHosts: number('pds-hosts'),
    labels: number('labels'),
    rate,
    port: number('port'),
    time: values['fixed-time'] ? 'fixed' : 'real',
  })
  print(network)
  await (rate > 0 ? network.run(stop.signal) : aborted(stop.signal))
}

function print(network: RecordedNetwork | SimulatedNetwork): void {
  const { relayUrl, plcUrl, labelerUrl, labelerDid, pdsUrls, handleResolverUrl } = network
  const json = { relayUrl, plcUrl, labelerUrl, labelerDid, pdsUrls, handleResolverUrl, head: network.head() }
  const environment = {
    INGESTER_HOSTS: relayUrl,
    INGESTER_LABELER_HOSTS: labelerUrl,
    DID_PLC_URL: plcUrl,
    HANDLE_RESOLVER_URL: handleResolverUrl,
    MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
  }
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${value}`)
  process.stdout.write(`${[JSON.stringify(json), ...lines].join('\n')}\n`)
}

function number(name: Exclude<keyof typeof values, 'recording' | 'help' | 'fixed-time'>): number {
  const value = Number(values[name])
  if (Number.isNaN(value) || value < 0) throw new Error(`--${name} is not a number: ${values[name]}`)
  return value
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve())
    if (signal.aborted) resolve()
  })
}
