import { Secp256k1Keypair } from '@atproto/crypto'
import type { LexMap } from '@atproto/lex-data'
import { Account, type AccountContext, type AccountStatus, type NetworkRecord } from './account.ts'
import { VirtualClock } from './clock.ts'
import { EventStream } from './event-stream.ts'
import { Faults } from './faults.ts'
import { Guest, type KnownAccount, type NewGuest } from './guest.ts'
import { handleOf } from './handles.ts'
import { serveHandles, serveLabeler, servePds, servePlc, serveRelay } from './hosts.ts'
import type { LocalServer } from './http.ts'
import { type LabelInput, LabelLog, type SentLabel } from './labels.ts'
import { PlcDirectory } from './plc-directory.ts'
import { Random, seededBytes } from './random.ts'
import { Serial } from './serial.ts'
import { SimulatedAccount } from './simulated-account.ts'
import { Traffic } from './traffic.ts'
import { World } from './world.ts'

export interface SimulatedNetworkOptions {
  /** The last of them is the labeler. @default 50 */
  accounts?: number
  /** About so many records of each account are there before the start. @default 40 */
  recordsPerAccount?: number
  /** The same seed gives the same DIDs, records and revisions. @default 1 */
  seed?: number
  /** @default 2 */
  pdsHosts?: number
  /** Labels sent before the start. @default 30 */
  labels?: number
  /** Operations per second while `run` lasts. @default 20 */
  rate?: number
  /** The relay's port; the other hosts take the ones after it. 0 takes any free ones. @default 0 */
  port?: number
  /**
   * `fixed` starts on the same day always, so that a seed determines everything; `real` ends the history now and
   * follows the clock, so that records look new. @default 'fixed'
   */
  time?: 'fixed' | 'real'
  /** Frames that a relay cursor can go back. @default Infinity */
  relayWindow?: number
  /** Bytes that a subscriber may be behind before it is ConsumerTooSlow. @default 16 MiB */
  maxLagBytes?: number
  /** Whether the relay's `getRepo` is a redirect to the PDS, as real relays answer. @default true */
  redirectGetRepo?: boolean
  /** Gives each PDS a firehose of its own, with its own sequence numbers. @default false */
  pdsFirehoses?: boolean
}

/** What a network holds now. */
export interface NetworkTotals {
  accounts: number
  /** Records live now, by collection. Those of deleted accounts are not. */
  records: Record<string, number>
  recordCount: number
  /** Commits in the repos, with the empty first one of each. */
  commits: number
  /** Labels sent, negations too. */
  labels: number
}

/** The history ends here when time is fixed. */
const fixedNow = new Date('2025-06-01T00:00:00.000Z')
/** Accounts are made on the first of these days. */
const historyDays = 30

const day = 86_400_000

/** Starts a network on loopback; it ends when disposed. */
export function startSimulatedNetwork(options: SimulatedNetworkOptions = {}): Promise<SimulatedNetwork> {
  return SimulatedNetwork.start(options)
}

/**
 * An AT Protocol network in one process: PLC directory, PDS hosts, relay, labeler and a handle resolver, with accounts
 * whose repos are signed as real ones are. What is on the wire is what real hosts send; what is left out is writing
 * over the network: accounts write through `account(…)`, `write(…)` and `run(…)`.
 */
export class SimulatedNetwork implements AsyncDisposable {
  /** The firehose of the relay: `sendRaw`, `appendRaw`, `sendError`, `dropConnections`, `hold` and so on. */
  readonly relay: EventStream
  /** The stream of labels. */
  readonly labeler: EventStream
  /** With `pdsFirehoses`: the firehose of each PDS. */
  readonly pdsFirehoses: readonly EventStream[]
  readonly faults = new Faults()
  readonly plc: PlcDirectory
  readonly #clock: VirtualClock
  readonly #serial = new Serial()
  readonly #world = new World()
  readonly #random: Random
  readonly #traffic: Traffic
  readonly #accounts: Account[] = []
  readonly #writers: SimulatedAccount[] = []
  readonly #byDid = new Map<string, Account>()
  readonly #byHandle = new Map<string, KnownAccount>()
  readonly #guests = new Map<string, Guest>()
  readonly #seed: number
  readonly #rate: number
  readonly #servers: LocalServer[] = []
  #pdsServers: LocalServer[] = []
  #labels: LabelLog | undefined

  /** What `startSimulatedNetwork` calls. */
  static async start({
    accounts = 50,
    recordsPerAccount = 40,
    seed = 1,
    pdsHosts = 2,
    labels = 30,
    rate = 20,
    port = 0,
    time = 'fixed',
    relayWindow = Infinity,
    maxLagBytes = 16 << 20,
    redirectGetRepo = true,
    pdsFirehoses = false,
  }: SimulatedNetworkOptions): Promise<SimulatedNetwork> {
    const now = time === 'real' ? new Date() : fixedNow
    const daysAgo = (days: number): Date => new Date(now.getTime() - days * day)
    const network = new SimulatedNetwork({
      clock: new VirtualClock(daysAgo(historyDays)),
      plc: new PlcDirectory(await Secp256k1Keypair.import(seededBytes(seed, 'rotation key'))),
      random: new Random(seed),
      relay: new EventStream({ window: relayWindow, maxLagBytes }),
      pdsFirehoses: Array.from({ length: pdsFirehoses ? pdsHosts : 0 }, () => new EventStream()),
      rate,
      seed,
    })
    try {
      await network.#listen({ port, pdsHosts, redirectGetRepo })
      await network.#createAccounts(accounts)
      await network.#traffic.writeHistory(recordsPerAccount, { from: daysAgo(historyDays - 1), to: now })
      // In the end the clock is before `now`, by the share of the last commit: nothing lies in the future.
      for (let label = 0; label < labels; label++) await network.#labels?.sendNext(network.#world, network.#random)
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    network.#clock.live = time === 'real'
    return network
  }

  private constructor(parts: {
    clock: VirtualClock
    plc: PlcDirectory
    random: Random
    relay: EventStream
    pdsFirehoses: EventStream[]
    rate: number
    seed: number
  }) {
    this.#clock = parts.clock
    this.plc = parts.plc
    this.#random = parts.random
    this.relay = parts.relay
    this.labeler = new EventStream()
    this.pdsFirehoses = parts.pdsFirehoses
    this.#rate = parts.rate
    this.#seed = parts.seed
    this.#traffic = new Traffic({
      accounts: this.#accounts,
      world: this.#world,
      random: this.#random,
      clock: this.#clock,
    })
  }

  get relayUrl(): string {
    return this.#server(0).url
  }
  get plcUrl(): string {
    return this.#server(1).url
  }
  get labelerUrl(): string {
    return this.#server(2).url
  }
  get handleResolverUrl(): string {
    return this.#server(3).url
  }
  get pdsUrls(): readonly string[] {
    return this.#pdsServers.map((server) => server.url)
  }
  get labelerDid(): string {
    return this.#accounts.at(-1)?.did ?? ''
  }
  /** Every account, in the order of `listRepos`. The last one is the labeler. */
  get accounts(): readonly SimulatedAccount[] {
    return this.#writers
  }

  /** Requests so far by method, over all hosts. */
  get requests(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {}
    for (const { requests } of this.#servers) {
      for (const [method, count] of Object.entries(requests)) sums[method] = (sums[method] ?? 0) + count
    }
    return sums
  }

  /** @throws when there is none */
  account(indexOrDid: number | string): SimulatedAccount {
    const index = typeof indexOrDid === 'number' ? indexOrDid : this.#byDid.get(indexOrDid)?.index
    const account = this.#writers[index ?? -1]
    if (!account) throw new Error(`there is no account ${indexOrDid}`)
    return account
  }

  /** Sequence number of the last frame of the relay. */
  head(): number {
    return this.relay.head
  }

  /** Every record that is in a repo now, of all accounts but the deleted ones. */
  records(): NetworkRecord[] {
    return this.#present().flatMap((account) => account.records())
  }

  /** Every label sent so far, in order. */
  labels(): readonly SentLabel[] {
    return this.#labels?.sent ?? []
  }

  /** @returns what it holds now; counted. */
  totals(): NetworkTotals {
    const records: Record<string, number> = {}
    let recordCount = 0
    for (const { repo } of this.#present()) {
      for (const path of repo.records.keys()) {
        const collection = path.slice(0, path.indexOf('/'))
        records[collection] = (records[collection] ?? 0) + 1
        recordCount++
      }
    }
    const commits = this.#accounts.reduce((sum, account) => sum + account.commits, 0)
    return { accounts: this.#accounts.length, records, recordCount, commits, labels: this.labels().length }
  }

  /** Writes exactly so many operations more, and gives the head then. */
  async write(operations: number): Promise<number> {
    for (let left = operations; left > 0;) {
      left -= await this.#serial.run(() => this.#traffic.writeNext(left))
    }
    return this.head()
  }

  /** Writes at the network's rate, with a label now and then, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const startedAt = performance.now()
    for (let written = 0; !signal.aborted;) {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * this.#rate)
      for (; written < due && !signal.aborted; written++) {
        await this.write(1)
        if (written % 50 === 49) await this.#serial.run(() => this.#labels?.sendNext(this.#world, this.#random))
      }
      await pause(Math.max(10, 1000 / this.#rate), signal)
    }
  }

  /** Has the directory and the relay know of an account whose host is somebody else's. The relay lists it before all others. */
  addGuest(guest: NewGuest): Promise<Guest> {
    return this.#serial.run(async () => {
      const added = await Guest.create(this.#accountContext(), guest, this.#guests.size)
      this.#guests.set(added.did, added)
      this.#byHandle.set(added.handle, added)
      return added
    })
  }

  /** Sends one label, signed by the labeler. */
  label(label: LabelInput): Promise<SentLabel> {
    return this.#serial.run(() => {
      if (!this.#labels) throw new Error('a network without accounts has no labeler')
      return this.#labels.send(label)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()))
  }

  async #listen(options: { port: number; pdsHosts: number; redirectGetRepo: boolean }): Promise<void> {
    const { port, pdsHosts, redirectGetRepo } = options
    const registry = {
      accounts: this.#accounts,
      byDid: this.#byDid,
      byHandle: this.#byHandle,
      guests: this.#guests,
      plc: this.plc,
      faults: this.faults,
    }
    const nth = (index: number): number => (port === 0 ? 0 : port + index)
    this.#servers.push(await serveRelay(registry, { port: nth(0), firehose: this.relay, redirectGetRepo }))
    this.#servers.push(await servePlc(registry, nth(1)))
    this.#servers.push(await serveLabeler(this.labeler, nth(2)))
    this.#servers.push(await serveHandles(registry, nth(3)))
    for (let index = 0; index < pdsHosts; index++) {
      this.#servers.push(await servePds(registry, { port: nth(4 + index), firehose: this.pdsFirehoses[index] }))
    }
    this.#pdsServers = this.#servers.slice(4)
  }

  async #createAccounts(count: number): Promise<void> {
    const host = {
      serialize: <T>(work: () => Promise<T> | T): Promise<T> => this.#serial.run(work),
      write: this.#traffic.write.bind(this.#traffic),
      rename: (account: Account, handle: string): Promise<void> => this.#rename(account, handle),
      setStatus: (account: Account, status: AccountStatus): void => this.#setStatus(account, status),
    }
    for (let index = 0; index < count; index++) {
      const isLabeler = index === count - 1
      const pds = index % this.#pdsServers.length
      const context: AccountContext = {
        ...this.#accountContext(),
        publish: (type, body) => this.#publish(pds, type, body),
      }
      const account = await Account.create(context, {
        index,
        handle: isLabeler ? 'labeler.test' : handleOf(index),
        pdsUrl: this.#pdsServers[pds]?.url as string,
        labelerUrl: isLabeler ? this.labelerUrl : undefined,
      })
      this.#accounts.push(account)
      this.#writers.push(new SimulatedAccount(account, host))
      this.#byDid.set(account.did, account)
      this.#byHandle.set(account.handle, account)
      this.#world.accounts.push({ did: account.did, handle: account.handle, index, isLabeler })
      this.#clock.advance(day / count / 2)
    }
    const labeler = this.#accounts.at(-1)
    if (labeler) this.#labels = new LabelLog(labeler, this.labeler, this.#clock)
  }

  #accountContext(): Omit<AccountContext, 'publish'> {
    return { clock: this.#clock, plc: this.plc, seed: this.#seed }
  }

  #publish(pds: number, type: string, body: LexMap): void {
    this.relay.appendMessage(type, body)
    this.pdsFirehoses[pds]?.appendMessage(type, body)
  }

  async #rename(account: Account, handle: string): Promise<void> {
    if (this.#byHandle.get(account.handle) === account) this.#byHandle.delete(account.handle)
    this.#byHandle.set(handle, account)
    await account.changeHandle(handle)
    const known = this.#world.accounts[account.index]
    if (known) known.handle = handle
  }

  #setStatus(account: Account, status: AccountStatus): void {
    if (status === 'deleted' && this.#byHandle.get(account.handle) === account) this.#byHandle.delete(account.handle)
    account.setStatus(status)
  }

  #present(): Account[] {
    return this.#accounts.filter((account) => account.status !== 'deleted')
  }

  #server(index: number): LocalServer {
    return this.#servers[index] as LocalServer
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
