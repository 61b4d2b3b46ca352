import type { AppViewNetwork, SimulatedSource } from '@millrace/appview'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { setTimeout as sleep } from 'node:timers/promises'
import { statusLexicon } from './statusphere.ts'

export interface SimulationOptions {
  /** Of them, a third have a status from the start. */
  accounts: number
  /** So many are written on top of these. Without an end, accounts set one that had none: they are fetched a minute later. */
  statuses: number
  /** Pause between two that are written, in milliseconds. */
  everyMs: number
}

/** So many accounts to one that has a status. */
const everyNth = 3
const faces = ['🙂', '😴', '🤔', '🎉', '🌊', '🚀', '🍵', '🌱']

/** A network on this machine, of accounts that write posts, likes and, some of them, statuses. */
export class Simulation implements SimulatedSource {
  readonly network: SimulatedNetwork
  readonly #options: SimulationOptions

  private constructor(network: SimulatedNetwork, options: SimulationOptions) {
    this.network = network
    this.#options = options
  }

  static async start(options: SimulationOptions): Promise<Simulation> {
    const network = await startSimulatedNetwork({
      accounts: options.accounts,
      recordsPerAccount: 10,
      labels: 0,
      time: 'real',
    })
    const simulation = new Simulation(network, options)
    for (let n = 0; n < options.accounts; n += everyNth) {
      await simulation.#setStatus(n, n)
      await simulation.#setStatus(n, n + 1)
    }
    return simulation
  }

  get title(): string {
    return `simulated network, ${this.#options.accounts} accounts`
  }

  get place(): AppViewNetwork {
    const { relayUrl: relay, plcUrl, handleResolverUrl } = this.network
    return { relay, plcUrl, handleResolverUrl, allowPrivateHosts: true }
  }

  head(): number {
    return this.network.head()
  }

  async write(signal: AbortSignal): Promise<void> {
    const { accounts, statuses, everyMs } = this.#options
    const newcomers = statuses === Infinity
    for (let n = 0; n < statuses && !signal.aborted; n++) {
      const account = newcomers ? (n * 7) % accounts : everyNth * ((n * 7) % Math.ceil(accounts / everyNth))
      await this.#setStatus(account, n)
      if (n % 5 === 0) await this.#takeBack(account)
      // What this AppView does not want.
      await this.network.write(2)
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #setStatus(account: number, face: number): Promise<void> {
    const status = faces[face % faces.length]!
    await this.network.account(account).create(statusLexicon.id, { status, createdAt: new Date().toISOString() })
  }

  /** The oldest of an account. */
  async #takeBack(account: number): Promise<void> {
    const author = this.network.account(account)
    const oldest = author.records().find(({ uri }) => uri.split('/')[3] === statusLexicon.id)
    if (oldest) await author.delete(oldest.uri)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]()
  }
}
