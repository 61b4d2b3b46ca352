import { migrate, openDatabase, PostgresLedger, type Database } from '@millrace/database'
import type { SimulatedNetwork } from '@millrace/dev-network'
import { FirehoseIngester } from '@millrace/ingest'
import { runAll } from '@millrace/runtime'
import {
  groups,
  sleep,
  streamEventCodec,
  streams,
  type Logger,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import { compareDatabases, type DatabaseComparison } from './compare-databases.ts'
import { openSink, type Sink, type SinkOptions } from './sink.ts'

export interface SecondSinkOptions {
  network: SimulatedNetwork
  /** Writes into that network. */
  traffic: Loop
  store: StreamStore
  /** Databases of their own: the first is there from the start, the second comes while all runs. */
  urls: { first: string; second: string }
  /** Gets each step, as soon as it is done. */
  say: (step: Step) => void
  /** Called once both were compared: until it resolves, both go on, and records are written. @default the end */
  goOn?: ((report: Report) => Promise<void>) | undefined
  logger: Logger
  signal: AbortSignal
}

/** Something that was done, and what was seen then. */
export interface Step {
  title: string
  figures: Record<string, number>
}

export interface Report {
  steps: Step[]
  /** The rows of both, and whether they are those of the network. */
  comparison: DatabaseComparison
}

/** Entries that have to be waiting before a database that was away comes back. */
const BACKLOG = 30

/**
 * A database is added to a pipeline that runs: it gets a place in the live stream first, then what was there before, and
 * is stopped and started once. In the end both hold the same rows.
 */
export async function secondSink({
  network,
  traffic,
  store,
  urls,
  say,
  goOn,
  logger,
  signal,
}: SecondSinkOptions): Promise<Report> {
  const steps: Step[] = []
  const tell = (title: string, figures: Step['figures']): void => {
    const step = { title, figures }
    steps.push(step)
    say(step)
  }
  await using first = await openMigrated(urls.first)
  await using second = await openMigrated(urls.second)
  const firehose = new FirehoseIngester({
    host: network.relayUrl,
    sink: store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
    cursors: store.cursors,
    ledger: new PostgresLedger({ database: first, logger }),
    logger,
  })
  const ready = (stop: AbortSignal): Promise<void> => firehose.connected(stop)
  const shared = { store, network, ready, logger }

  await using running = new Running(signal, logger)
  running.start('firehose', [firehose])
  const one = await openSink({ ...shared, database: first, ...firstPlace })
  running.start('first', one.loops)
  await until(() => isBackfilled(one), signal)
  running.start('traffic', [traffic])
  await until(async () => one.indexedLive() > 0, signal)
  tell('The pipeline runs, with one database.', { repos: one.backfilled(), records: await records(first) })

  // Before anything else: from here on no entry leaves the stream that this group has not acked.
  await store.ensureGroup(streams.firehoseLive, secondPlace.group)
  const two = await openSink({ ...shared, database: second, ...secondPlace })
  await until(async () => (await two.waiting()).live >= BACKLOG, signal)
  tell('The second group has its place in the live stream. Nobody reads for it yet: its entries wait.', {
    waitingForFirst: (await one.waiting()).live,
    waitingForSecond: (await two.waiting()).live,
  })

  const fromRepos = one.indexedFromRepos()
  running.start('second', two.loops)
  await until(() => isBackfilled(two), signal)
  tell('The second database was backfilled by streams of its own, while live entries went on to both.', {
    repos: two.backfilled(),
    records: await records(second),
    fetchedAgainForFirst: one.indexedFromRepos() - fromRepos,
  })

  await running.stop('second')
  await until(async () => (await two.waiting()).live >= BACKLOG, signal)
  tell('The second stands still. The first goes on, and what the second has not acked is kept.', {
    waitingForFirst: (await one.waiting()).live,
    waitingForSecond: (await two.waiting()).live,
  })

  const again = await openSink({ ...shared, database: second, ...secondPlace })
  running.start('second', again.loops)
  await running.stop('traffic')
  await until(async () => (firehose.status().lastSeq ?? 0) >= network.head(), signal)
  await until(async () => (await isIdle(one)) && (await isIdle(again)), signal)
  const [live] = await store.status([streams.firehoseLive])
  tell('The second has caught up. Both have acked every entry, and so they are gone.', {
    entriesLeft: live?.length ?? 0,
  })

  const report = { steps, comparison: await compareDatabases({ first, second, network }) }
  if (goOn) {
    running.start('traffic', [traffic])
    await goOn(report)
  }
  return report
}

type Place = Pick<SinkOptions, 'group' | 'repoStream' | 'backfillStream'>
const firstPlace: Place = {
  group: groups.firehose,
  repoStream: streams.repoBackfill,
  backfillStream: streams.firehoseBackfill,
}
/** Streams of its own: in those of the first, what is fetched would be applied there a second time. */
const secondPlace: Place = {
  group: 'second_group',
  repoStream: `${streams.repoBackfill}_second`,
  backfillStream: `${streams.firehoseBackfill}_second`,
}

async function openMigrated(url: string): Promise<Database> {
  const database = await openDatabase({ url, pipeline: true })
  await migrate(database)
  return database
}

async function isBackfilled(sink: Sink): Promise<boolean> {
  return (await sink.waiting()).repos === 0
}

async function isIdle(sink: Sink): Promise<boolean> {
  const { live, repos, handles } = await sink.waiting()
  return live + repos + handles === 0
}

async function records({ pool }: Database): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) from record')
  return rows[0]!.count
}

async function until(isSo: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await isSo())) {
    signal.throwIfAborted()
    await sleep(50, signal)
  }
}

/** Groups of loops that run, each until it is stopped. */
class Running implements AsyncDisposable {
  readonly #signal: AbortSignal
  readonly #logger: Logger
  readonly #groups = new Map<string, { stop: AbortController; ended: Promise<void> }>()

  constructor(signal: AbortSignal, logger: Logger) {
    this.#signal = signal
    this.#logger = logger
  }

  start(name: string, loops: readonly Loop[]): void {
    const stop = new AbortController()
    const ended = runAll(loops, AbortSignal.any([this.#signal, stop.signal]), { logger: this.#logger })
    this.#groups.set(name, { stop, ended })
  }

  async stop(name: string): Promise<void> {
    const group = this.#groups.get(name)
    group?.stop.abort()
    await group?.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((name) => this.stop(name)))
  }
}
