import { DirtyQueue, migrate, openDatabase, PostgresLedger, registerUpstreams, type Database } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { IndexingService } from '@millrace/indexing'
import { RepairRunner, RepairStore } from '@millrace/repair'
import { RepoBackfiller } from '@millrace/repo-backfill'
import { sleep, streamEventCodec, streams } from '@millrace/stream-protocol'

export interface RepairRigOptions {
  databaseUrl: string
  accounts: number
  recordsPerAccount: number
}

/** What one repair took of the hosts. */
export interface RepairCost {
  ms: number
  /** Repos fetched, those of the proof at the end among them. */
  repos: number
  /** Of lists and repos. */
  bytes: number
}

/** A network and what repairs a database from it, in one process and without streams: only what is fetched counts. */
export class RepairRig implements AsyncDisposable {
  readonly #network: SimulatedNetwork
  readonly #database: Database
  readonly #store: RepairStore
  readonly #host: string
  readonly #stop = new AbortController()
  #running: Promise<unknown> = Promise.resolve()
  #repos = 0
  #bytes = 0

  private constructor(network: SimulatedNetwork, database: Database) {
    this.#network = network
    this.#database = database
    this.#store = new RepairStore(database)
    this.#host = new URL(network.relayUrl).host
  }

  static async open({ databaseUrl, accounts, recordsPerAccount }: RepairRigOptions): Promise<RepairRig> {
    const network = await startSimulatedNetwork({ accounts, recordsPerAccount, labels: 0, time: 'real' })
    const database = await openDatabase({ url: databaseUrl, pipeline: true })
    await migrate(database)
    const rig = new RepairRig(network, database)
    await registerUpstreams(database, [{ host: rig.#host, stream: streams.firehoseLive, url: network.relayUrl }])
    rig.#start(await IndexingService.open({ database, plugins: [] }))
    return rig
  }

  #start(indexing: IndexingService): void {
    const guarded = createGuardedFetch({ allowPrivateHosts: true })
    const fetch: typeof guarded = async (url, init) => {
      const response = await guarded(url, init)
      if (new URL(url).pathname.endsWith('.getRepo') && response.ok) this.#repos += 1
      const count = new TransformStream<Uint8Array, Uint8Array>({
        transform: (part, controller) => {
          this.#bytes += part.length
          controller.enqueue(part)
        },
      })
      return new Response(response.body?.pipeThrough(count), response)
    }
    const database = this.#database
    const resolver = new DidResolver({ fetch: guarded, plcUrl: this.#network.plcUrl, allowPrivateHosts: true })
    const hostUrl = (host: string): string => `http://${host}`
    const backfiller = new RepoBackfiller({
      source: new DirtyQueue({ database, hostUrl, idleMs: 20, batchSize: 20 }),
      sink: {
        stream: streams.firehoseBackfill,
        append: async (texts) => void (await indexing.index(texts.map(streamEventCodec.decode))),
      },
      ledger: new PostgresLedger({ database }),
      resolver,
      fetch,
      concurrency: 8,
    })
    const runner = new RepairRunner({ database, resolver, fetch, hostUrl, idleMs: 20 })
    this.#running = Promise.all([backfiller, runner].map((loop) => loop.run(this.#stop.signal)))
  }

  /** Compares all repos of the host with ours, and has fetched what differs. */
  async repair(): Promise<RepairCost> {
    this.#repos = 0
    this.#bytes = 0
    const startedAt = performance.now()
    const { id } = await this.#store.plan({ host: this.#host, reason: 'asked' })
    for (let state; state !== 'done'; state = (await this.#store.get(id))?.state) await sleep(50)
    return { ms: performance.now() - startedAt, repos: this.#repos, bytes: this.#bytes }
  }

  /** Commits to a share of the repos of which we hear nothing. @returns how many. */
  async lose(share: number): Promise<number> {
    const chosen = this.#network.accounts.filter((_, index) => index % Math.round(1 / share) === 1)
    for (const account of chosen)
      await account.create('app.bsky.feed.post', { text: 'unheard', createdAt: new Date().toISOString() })
    return chosen.length
  }

  /** Records that are there and should not be, or the other way round, or in another version. */
  async compare(): Promise<{ anomalies: number; records: number }> {
    const { rows } = await this.#database.pool.query<{ record: string }>(
      `select uri || ' ' || cid as record from record`,
    )
    const ours = new Set(rows.map(({ record }) => record))
    const theirs = new Set(this.#network.records().map(({ uri, cid }) => `${uri} ${cid}`))
    return { anomalies: ours.symmetricDifference(theirs).size, records: theirs.size }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#database[Symbol.asyncDispose]()
    await this.#network[Symbol.asyncDispose]()
  }
}
