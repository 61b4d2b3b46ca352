import { execFile as execFileWithCallback } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Random, startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { freePort, startPostgres, startRedis, type LocalPostgres, type LocalRedis } from '@millrace/local-services'
import { compareWithOracle, type Anomaly } from '@millrace/oracle'
import { sleep } from '@millrace/stream-protocol'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { createClient } from 'redis'
import { endOfSimulation } from '../compare/simulated-end.ts'
import { AppProcess, type AppName } from '../pipeline/app-process.ts'
import { appEnvironment } from '../pipeline/four-apps.ts'
import { TestPool } from '../pipeline/test-pool.ts'

const execFile = promisify(execFileWithCallback)

export interface StageOptions {
  seed: number
  /** Files of the servers. */
  folder: string
  form: 'source' | 'built'
}

/** How much faster than in production the pipeline waits. */
const HASTE = 20
/** Frames that the relay can replay. */
const WINDOW = 400

export type ProcessName = 'ingester' | 'backfiller' | 'otherBackfiller' | 'indexer' | 'otherIndexer' | 'admin'

/**
 * A simulated network and a whole pipeline over it, in real processes: ingester, two backfillers, two indexers, admin,
 * with a Redis and a Postgres of their own, which they reach through proxies.
 */
export class Stage implements AsyncDisposable {
  readonly network: SimulatedNetwork
  readonly random: Random
  readonly apps: Readonly<Record<ProcessName, AppProcess>>
  readonly redisProxy: FaultProxy
  readonly postgresProxy: FaultProxy
  readonly pool: TestPool
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  readonly #form: 'source' | 'built'
  readonly #stack: AsyncDisposableStack
  redis: LocalRedis
  postgres: LocalPostgres

  static async open({ seed, folder, form }: StageOptions): Promise<Stage> {
    await using stack = new AsyncDisposableStack()
    const network = stack.use(
      await startSimulatedNetwork({ accounts: 24, recordsPerAccount: 15, labels: 20, seed, relayWindow: WINDOW }),
    )
    const [redis, postgres] = await Promise.all([
      startRedis({ folder: `${folder}/redis` }),
      startPostgres({ folder: `${folder}/postgres`, durable: true, port: await freePort() }),
    ])
    const redisProxy = stack.use(await FaultProxy.listen(redis.url))
    const postgresProxy = stack.use(await FaultProxy.listen(postgres.url))
    const env = {
      ...appEnvironment({ network, redisUrl: redisProxy.url, databaseUrl: postgresProxy.url }),
      MILLRACE_HASTE: String(HASTE),
      BACKFILLER_CLAIM_IDLE: '4s',
      BACKFILLER_CONCURRENCY: '4',
      INDEXER_BATCH_SIZE: '200',
      ADMIN_PORT: '0',
    }
    return new Stage({
      network,
      seed,
      folder,
      form,
      redis,
      postgres,
      redisProxy,
      postgresProxy,
      env,
      stack: stack.move(),
    })
  }

  private constructor(parts: {
    network: SimulatedNetwork
    seed: number
    folder: string
    form: 'source' | 'built'
    redis: LocalRedis
    postgres: LocalPostgres
    redisProxy: FaultProxy
    postgresProxy: FaultProxy
    env: Readonly<Record<string, string>>
    stack: AsyncDisposableStack
  }) {
    this.network = parts.network
    this.random = new Random(parts.seed)
    this.redis = parts.redis
    this.postgres = parts.postgres
    this.redisProxy = parts.redisProxy
    this.postgresProxy = parts.postgresProxy
    this.pool = new TestPool(`${parts.postgres.url}?options=-c%20search_path%3Dbsky`)
    // Idle connections break when the server is made to crash.
    this.pool.on('error', () => undefined)
    this.#folder = parts.folder
    this.#env = parts.env
    this.#form = parts.form
    this.#stack = parts.stack
    const other = { BACKFILLER_CONSUMER: 'two', INDEXER_CONSUMER: 'two' }
    this.apps = {
      ingester: this.process('ingester'),
      backfiller: this.process('backfiller'),
      otherBackfiller: this.process('backfiller', other),
      indexer: this.process('indexer'),
      otherIndexer: this.process('indexer', other),
      admin: this.process('admin'),
    }
  }

  /** One more process, not yet started. It ends with the stage. */
  process(app: AppName, env: Readonly<Record<string, string>> = {}): AppProcess {
    return this.#stack.use(new AppProcess(app, { ...this.#env, ...env }, this.#form))
  }

  /** Starts whatever does not run. */
  startAll(): void {
    for (const app of Object.values(this.apps)) if (!app.isRunning) app.start()
  }

  /** Waits until the streams are followed, and writes what gives them a cursor. */
  async firstFrames(): Promise<void> {
    while (this.network.relay.connections === 0) await wait(50)
    await this.network.write(4)
  }

  /** Undoes what faults are on. */
  async heal(): Promise<void> {
    this.redisProxy.heal()
    this.postgresProxy.heal()
    this.network.faults.clear()
    this.network.relay.release()
    for (const app of Object.values(this.apps)) app.signal('SIGCONT')
    await this.command('CONFIG', 'SET', 'maxmemory', '0')
    this.startAll()
  }

  /** As if a day went by since the last fault: or repos that broke by it wait longer before they are fetched (B17). */
  async passDay(): Promise<void> {
    await this.pool.query(`update millrace_repo set resynced_at = resynced_at - interval '1 day'`)
  }

  /** Asks Redis itself, past the proxy. */
  async command(...args: string[]): Promise<unknown> {
    const client = createClient({ url: this.redis.url, socket: { reconnectStrategy: 200 } })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await client.sendCommand(args)
    } finally {
      client.destroy()
    }
  }

  /** Ends Redis, and starts it again on its port with what it has on disk. */
  async restartRedis(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const port = Number(new URL(this.redis.url).port)
    process.kill(this.redis.pid, signal)
    await this.redis.close()
    this.redis = await startRedis({ folder: `${this.#folder}/redis`, port })
  }

  /** Ends Postgres as a crash does, and starts it again on its port: it recovers from its log, or from a backup. */
  async crashPostgres(whileDown: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const port = Number(new URL(this.postgres.url).port)
    const { rows } = await this.pool.query<{ pid: number }>(
      `select (regexp_match(pg_read_file('postmaster.pid'), '^\\d+'))[1]::int as pid`,
    )
    process.kill(rows[0]!.pid, 'SIGQUIT')
    await this.postgres.close()
    await whileDown()
    this.postgres = await startPostgres({ folder: `${this.#folder}/postgres`, durable: true, port })
  }

  /** Puts aside what Postgres has on disk. It has to be down, and so has it when that is put back. */
  async backUpPostgres(): Promise<{ restore: () => Promise<void> }> {
    const { folder } = this.postgres
    const backup = `${folder}-backup`
    const copy = async (from: string, to: string): Promise<void> => {
      await rm(to, { recursive: true, force: true })
      // With its owner, who alone may have it.
      await execFile('cp', ['-a', from, to])
    }
    await copy(folder, backup)
    return {
      restore: async () => {
        await copy(backup, folder)
        await rm(backup, { recursive: true, force: true })
      },
    }
  }

  /** Has accounts fetched, so that backfillers have work. */
  async fetchAgain(accounts: number): Promise<void> {
    const dids = this.network.accounts.filter(({ status }) => status === 'active').slice(0, accounts)
    await this.pool.query(
      `insert into millrace_dirty (did, reason, host) select did, 'asked', $2 from unnest($1::text[]) as did
       on conflict (did) do update set next_at = now()`,
      [dids.map(({ did }) => did), new URL(this.network.relayUrl).host],
    )
  }

  /**
   * Writes to the network until the signal is aborted, changing handles now and then: a hundred records a second at
   * first, and few in what follows, since with every fault the repos to fetch are larger.
   */
  async traffic(signal: AbortSignal): Promise<void> {
    for (let round = 0; !signal.aborted; round++) {
      await this.network.write(4)
      if (round % 8 === 7) await this.network.account(this.random.below(20)).changeHandle()
      await sleep(round < 60 ? 40 : 400, signal)
    }
  }

  /** Where the database is not what the network has come to. */
  async compare(): Promise<Anomaly[]> {
    return await compareWithOracle({
      pool: this.pool,
      schema: 'bsky',
      now: Date.now(),
      ...endOfSimulation(this.network),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]()
    await this.#stack[Symbol.asyncDispose]()
    await Promise.all([this.redis.close(), this.postgres.close()])
  }
}
