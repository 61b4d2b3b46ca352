import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { sleep, type Loop } from '@millrace/stream-protocol'
import { statusLexicon } from './lexicons.ts'

/** Where records come from: a simulated network, or the real one behind a relay. */
export interface Network extends AsyncDisposable {
  /** For people. */
  readonly title: string
  readonly relay: string
  readonly plcUrl?: string
  readonly handleResolverUrl?: string
  /** Whether its hosts are on this machine. */
  readonly isPrivate: boolean
  /** Where it is ours, and knows what its repos hold. */
  readonly simulation?: SimulatedNetwork
  /** Writes from when it is told to, where that is ours to do. */
  traffic(mayBegin: () => Promise<boolean>): Loop[]
  /** Sequence number of the newest event, where it is known. */
  head(): number | undefined
  /** Whether nothing more will be written that has to be waited for. */
  isQuiet(): boolean
}

export function openRelay(relay: string): Network {
  return {
    title: relay,
    relay,
    isPrivate: false,
    traffic: () => [],
    head: () => undefined,
    isQuiet: () => true,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

export interface SimulationOptions {
  /** Of them, a third have a status from the start. */
  accounts: number
  /** Statuses that are written while it runs; then it is quiet. */
  writes: number
  /** Pause between two of them, in milliseconds. */
  everyMs: number
  /** Whether accounts set one that had none. Their repos are fetched a minute later. @default false */
  newcomers?: boolean
}

/** So many accounts to one that has a status. */
const everyNth = 3
const faces = ['🙂', '😴', '🤔', '🎉', '🌊', '🚀', '🍵', '🌱']

/** A network on this machine, of accounts that write posts, likes and, some of them, statuses. */
export async function openSimulation({
  accounts,
  writes,
  everyMs,
  newcomers = false,
}: SimulationOptions): Promise<Network> {
  const network = await startSimulatedNetwork({ accounts, recordsPerAccount: 10, labels: 0, time: 'real' })
  for (let n = 0; n < accounts; n += everyNth) {
    await setStatus(network, n, n)
    await setStatus(network, n, n + 1)
  }
  let written = 0
  const traffic = (mayBegin: () => Promise<boolean>): Loop => ({
    name: 'traffic',
    async run(signal) {
      while (!(await mayBegin()) && !signal.aborted) await sleep(50, signal)
      for (; written < writes && !signal.aborted; written++) {
        const account = newcomers
          ? (written * 7) % accounts
          : everyNth * ((written * 7) % Math.ceil(accounts / everyNth))
        await setStatus(network, account, written)
        if (written % 5 === 0) await takeBack(network, account)
        // What this AppView does not want.
        await network.write(2)
        await sleep(everyMs, signal)
      }
    },
  })
  return {
    title: `simulated network, ${accounts} accounts`,
    relay: network.relayUrl,
    plcUrl: network.plcUrl,
    handleResolverUrl: network.handleResolverUrl,
    isPrivate: true,
    simulation: network,
    traffic: (mayBegin) => [traffic(mayBegin)],
    head: () => network.head(),
    isQuiet: () => written >= writes,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

async function setStatus(network: SimulatedNetwork, account: number, face: number): Promise<void> {
  const status = faces[face % faces.length]!
  await network.account(account).create(statusLexicon.id, { status, createdAt: new Date().toISOString() })
}

/** The oldest of an account. */
async function takeBack(network: SimulatedNetwork, account: number): Promise<void> {
  const author = network.account(account)
  const oldest = author.records().find(({ uri }) => uri.split('/')[3] === statusLexicon.id)
  if (oldest) await author.delete(oldest.uri)
}
