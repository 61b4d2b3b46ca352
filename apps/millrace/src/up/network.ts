import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { sleep, type Loop } from '@millrace/stream-protocol'
import type { UpOptions } from './options.ts'

/** What is read from: a simulated network, or the real one. */
export interface SourceNetwork extends AsyncDisposable {
  /** For people. */
  readonly title: string
  readonly relay: string
  readonly labelers: readonly string[]
  readonly plcUrl: string | undefined
  readonly handleResolverUrl: string | undefined
  /** Whether its hosts are on this machine. */
  readonly isPrivate: boolean
  /** Writes traffic, where that is ours to do, from when the firehose is read. */
  readonly traffic: ((isRead: () => boolean) => Loop) | undefined
  /** Where it is ours, so that things can be made to go wrong in it. */
  readonly simulation?: SimulatedNetwork
  /** Sequence number of the newest event that has to arrive, where it is known. */
  head(): number | undefined
  /** Whether nothing more will be written that has to be waited for. */
  isQuiet(): boolean
}

export async function openNetwork(options: UpOptions): Promise<SourceNetwork> {
  return options.network === 'sim' ? simulated(options) : live(options)
}

/** Operations that a simulated network is given to write when it has to come to an end. */
const EVENTS_BEFORE_IDLE = 200

async function simulated({
  accounts,
  recordsPerAccount,
  seed,
  rate,
  events,
  exitWhenIdle,
}: UpOptions): Promise<SourceNetwork> {
  // The history is out of the relay's window, as it is on a real network: it has to come from the repos.
  const network = await startSimulatedNetwork({ accounts, recordsPerAccount, seed, rate, relayWindow: 100 })
  let left = events ?? (exitWhenIdle ? EVENTS_BEFORE_IDLE : Number.POSITIVE_INFINITY)
  let isWriting = false
  const traffic = (isRead: () => boolean): Loop => ({
    name: 'simulated traffic',
    async run(signal) {
      // What is written before somebody listens is found in the repos alone; a live network is to be seen live.
      while (!isRead() && !signal.aborted) await sleep(50, signal)
      isWriting = true
      if (!Number.isFinite(left)) return network.run(signal)
      while (left > 0 && !signal.aborted) {
        const count = Math.min(left, 50)
        await network.write(count)
        left -= count
      }
    },
  })
  return {
    title: `simulated network, ${accounts} accounts`,
    relay: network.relayUrl,
    labelers: [network.labelerUrl],
    plcUrl: network.plcUrl,
    handleResolverUrl: network.handleResolverUrl,
    isPrivate: true,
    traffic,
    simulation: network,
    head: () => (isWriting ? network.head() : undefined),
    isQuiet: () => left === 0,
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

function live({ relay, labelers }: UpOptions): SourceNetwork {
  return {
    title: `live network, ${relay}`,
    relay,
    labelers,
    plcUrl: undefined,
    handleResolverUrl: undefined,
    isPrivate: false,
    traffic: undefined,
    head: () => undefined,
    isQuiet: () => true,
    // Others run it.
    [Symbol.asyncDispose]: async () => undefined,
  }
}
