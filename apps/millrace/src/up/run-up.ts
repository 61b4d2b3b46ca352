import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { adminConfig, createAdminServer, describePipeline, pipelineCheck, watchAlarms } from '@millrace/admin'
import { ProgressWatch } from '@millrace/diagnosis'
import { FirehoseIngester } from '@millrace/ingest'
import {
  createLogger,
  createMeter,
  createRegistry,
  Health,
  identityVariables,
  PortError,
  readConfig,
  runAll,
  startHealthServer,
  type Environment,
} from '@millrace/runtime'
import { indexingPoolSize } from '@millrace/indexer'
import { RepoWorkers } from '@millrace/repo-backfill'
import { ResourceStack, streams, type Logger } from '@millrace/stream-protocol'
import { openControl } from '../sim/open-control.ts'
import { openNetwork } from './network.ts'
import type { UpOptions } from './options.ts'
import { joinPipeline, upIndexerSettings } from './pipeline.ts'
import { Progress, type ProgressOutput } from './progress.ts'
import type { Heading } from './render.ts'
import { openServices } from './services.ts'
import { isIdle, takeSnapshot, type Snapshot } from './snapshot.ts'
import { summarize, type Summary } from './summary.ts'

export interface RunUpOptions {
  up: UpOptions
  env: Environment
  version: string
  /** Where progress goes: standard error, so that standard output is the summary's. */
  output: ProgressOutput
  signal: AbortSignal
}

/** Looks in a row that have to find nothing to do: one alone may fall between two steps. */
const IDLE_LOOKS = 3

/** The whole pipeline in this process, until the signal is aborted or, if asked for, nothing is left to do. */
export async function runUp({ up, env, version, output, signal }: RunUpOptions): Promise<Summary> {
  const startedAt = Date.now()
  const say = (text: string): void => void output.write(`millrace: ${text}\n`)
  const identity = readConfig(identityVariables, env)
  const registry = createRegistry()
  const meter = createMeter(registry)
  const log = new LogFile(up.data)
  const logger = createLogger({ name: 'millrace', level: 'info', destination: log })

  await using network = await openNetwork(up)
  say(network.title)
  await using services = await openServices({
    up,
    env,
    indexingPoolSize: indexingPoolSize(upIndexerSettings),
    logger,
    meter,
    say,
    signal,
  })
  await log.open()
  await using resources = new ResourceStack()
  if (network.simulation) resources.use(await openControl(network.simulation, up.data))
  const allowPrivateHosts = network.isPrivate || identity.MILLRACE_ALLOW_PRIVATE_HOSTS
  await using workers = new RepoWorkers()
  const pipeline = await joinPipeline({
    up,
    network,
    services,
    plcUrl: network.plcUrl ?? identity.DID_PLC_URL,
    handleResolverUrl: network.handleResolverUrl ?? identity.HANDLE_RESOLVER_URL,
    allowPrivateHosts,
    workers,
    logger,
    meter,
  })

  const health = new Health()
  health.add('store', () => services.store.ping())
  health.add('database', () => services.database.ping())
  const watch = new ProgressWatch({ store: services.store, streams: Object.values(streams), logger, meter })
  const described = describePipeline(
    readConfig(adminConfig, {
      INGESTER_HOSTS: network.relay,
      INGESTER_LABELER_HOSTS: network.labelers.join(','),
      DID_PLC_URL: network.plcUrl ?? identity.DID_PLC_URL,
      HANDLE_RESOLVER_URL: network.handleResolverUrl ?? identity.HANDLE_RESOLVER_URL,
      MILLRACE_ALLOW_PRIVATE_HOSTS: allowPrivateHosts ? '1' : '0',
    }),
    { bind: '127.0.0.1', hasPassword: false },
  )
  const { sources, problems, loops } = watchAlarms({
    sources: { ...described, store: services.store, database: services.database, watch },
    logger,
    meter,
  })
  health.add('pipeline', pipelineCheck(problems))
  const adminOptions = { passwords: [], sources, health, version, logger }
  await using admin = await onFreePort(up.adminPort, logger, (port) => createAdminServer({ ...adminOptions, port }))
  await using metrics = await onFreePort(up.adminPort === 0 ? 0 : up.adminPort + 1, logger, (port) =>
    startHealthServer({ port, host: '127.0.0.1', registry, health, title: `Millrace ${version}` }),
  )

  const heading: Heading = {
    network: network.title,
    stores: `${services.store.kind} streams, ${services.postgres.title}`,
    urls: {
      console: `http://127.0.0.1:${admin.port}/`,
      status: `http://127.0.0.1:${admin.port}/xrpc/dev.millrace.admin.getStatus`,
      metrics: `http://127.0.0.1:${metrics.port}/metrics`,
      postgres: services.postgres.location,
      log: log.file,
    },
    startedAt,
  }
  for (const [name, place] of Object.entries(heading.urls)) say(`${name}: ${place}`)

  const done = new AbortController()
  const stop = AbortSignal.any([signal, done.signal])
  let last: Snapshot | undefined
  let idleLooks = 0
  const progress = new Progress({
    heading,
    output,
    logger,
    snapshot: () => takeSnapshot(network, pipeline, services),
    onSnapshot: (snapshot) => {
      last = snapshot
      idleLooks = isIdle(network, snapshot) ? idleLooks + 1 : 0
      if (up.exitWhenIdle && idleLooks >= IDLE_LOOKS) done.abort()
    },
  })
  const firehose = pipeline.ingesters.find((loop) => loop instanceof FirehoseIngester)
  const traffic = network.traffic?.(() => firehose?.status().state === 'streaming')
  await runAll([...pipeline.loops, watch, ...loops, ...(traffic ? [traffic] : []), progress], stop, {
    logger,
    meter,
    health,
  })
  last = await takeSnapshot(network, pipeline, services)
  // Awaited here: what it reads from is closed on the way out.
  return await summarize({
    database: services.database,
    snapshot: last,
    heading: {
      network: network.title,
      streams: `${services.store.kind} ${services.store.location}`,
      postgres: services.postgres.location,
      startedAt,
    },
    idle: isIdle(network, last),
  })
}

/** The port that was asked for, or any other where that one is taken: this is a server to look at, not to depend on. */
async function onFreePort<T>(port: number, logger: Logger, open: (port: number) => Promise<T>): Promise<T> {
  try {
    return await open(port)
  } catch (error) {
    if (!(error instanceof PortError) || port === 0) throw error
    logger.warn({ err: error }, 'the port is taken; using another one')
    return open(0)
  }
}

/** Lines are kept until the data folder is there to write them to. */
class LogFile {
  readonly file: string
  #early: string[] = []
  #write: ((line: string) => unknown) | undefined

  constructor(folder: string) {
    this.file = path.resolve(folder, 'millrace.log')
  }

  async open(): Promise<void> {
    await mkdir(path.dirname(this.file), { recursive: true })
    const stream = createWriteStream(this.file, { flags: 'a' })
    this.#write = (line) => stream.write(line)
    for (const line of this.#early) this.#write(line)
    this.#early = []
  }

  write(line: string): void {
    if (this.#write) this.#write(line)
    else this.#early.push(line)
  }
}
