import { DirtyQueue, readCollectionFilter, type Database } from '@millrace/database'
import type { DidResolver, GuardedFetch } from '@millrace/identity'
import { RepairRunner, RepairScheduler } from '@millrace/repair'
import { ByteBudget, HostPacer, pacedFetch, RepoBackfiller, type RepoWorkers } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  groups,
  streamEventTextCodec,
  streams,
  type Ledger,
  type Logger,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'
import { BackfillReporter, type BackfillReporterOptions } from './backfill-reporter.ts'

export interface BackfillerOptions {
  store: StreamStore
  /** Keeps repos that were given up. Without it, they stay pending and are tried again for ever, slowly. */
  ledger?: Ledger | undefined
  /** Where accounts are marked that have to be fetched again. Without it, nobody does here. */
  database?: Database | undefined
  /** The URL of a host that is named without its scheme. @default over TLS */
  hostUrl?: (host: string) => string
  /** Marked repos fetched at a time. @default 2 */
  resyncConcurrency?: number
  /** Unique in the group. */
  consumer: string
  /** @default 'repo_backfill_group' */
  group?: string
  /** Repos fetched at a time. @default 2 */
  concurrency?: number
  /** @default 'repo_backfill' */
  backfillStream?: string
  /** @default 'firehose_backfill' */
  firehoseStream?: string
  /** Entries of the output stream at which writers wait. @default 100_000 */
  highWaterMark?: number
  /** Times that a repo which does not hold is fetched before it is given up. @default 5 */
  attempts?: number
  /** Time after which the repos of a process that is gone are taken over (hazard S6), in milliseconds. @default 60_000 */
  claimIdleMs?: number
  /** Threads that read large repos, shared by all loops. Without them, all is done in this thread. */
  workers?: RepoWorkers
  /** Says when hosts may be asked. @default one of its own */
  pacer?: HostPacer
  resolver: Pick<DidResolver, 'resolve'>
  fetch: GuardedFetch
  logger: Logger
  meter: Meter
}

export interface RepairLoopOptions extends Pick<BackfillerOptions, 'resolver' | 'fetch' | 'logger' | 'meter'> {
  database: Database
  hostUrl: (host: string) => string
  /** That of the backfillers, so that all that hosts are asked counts together. */
  pacer: HostPacer
  /** Time after which hosts are compared once more without a reason; 0 for never. @default 7 days */
  everyMs?: number
}

/** What repairs want of hosts comes before the first fetch of repos. */
const REPAIR_PRIORITY = 2

/** Loops that find what is missing and have it fetched. */
export function repairLoops({ everyMs, pacer, fetch, ...rest }: RepairLoopOptions): [RepairScheduler, RepairRunner] {
  const shared = { ...rest, fetch: pacedFetch({ fetch, pacer, priority: REPAIR_PRIORITY }) }
  return [new RepairScheduler({ ...shared, ...(everyMs !== undefined && { everyMs }) }), new RepairRunner(shared)]
}

/** The loops of a backfiller, not yet running. Each has a `name` and a `status()`. */
export function backfillerLoops({
  store,
  ledger,
  database,
  hostUrl = (host) => `https://${host}`,
  resyncConcurrency = 2,
  consumer,
  group = groups.repoBackfill,
  concurrency = 2,
  backfillStream = streams.repoBackfill,
  firehoseStream = streams.firehoseBackfill,
  highWaterMark,
  attempts,
  claimIdleMs = 60_000,
  workers,
  pacer = new HostPacer(),
  resolver,
  fetch,
  logger,
  meter,
}: BackfillerOptions): RepoBackfiller[] {
  const source = store.consumer({
    stream: backfillStream,
    group,
    consumer,
    codec: backfillEventCodec,
    // What one process has read the others leave alone, so it takes few more than it works on.
    batchSize: Math.min(100, concurrency * 2),
    claimIdleMs,
    keepsClaims: true,
  })
  const sink = store.writer({
    stream: firehoseStream,
    codec: streamEventTextCodec,
    bulk: true,
    ...(highWaterMark !== undefined && { highWaterMark }),
  })
  const shared = {
    sink,
    workers,
    budget: new ByteBudget(),
    resolver,
    fetch,
    ...(database && { collections: () => readCollectionFilter(database) }),
    pacer,
    ...(attempts !== undefined && { attempts }),
    ...(ledger && { ledger }),
    logger,
    meter,
  }
  const backfiller = new RepoBackfiller({ ...shared, source, concurrency })
  if (!database) return [backfiller]
  const dirty = new DirtyQueue({ database, hostUrl, batchSize: resyncConcurrency * 2, leaseMs: claimIdleMs, logger })
  return [backfiller, new RepoBackfiller({ ...shared, source: dirty, concurrency: resyncConcurrency })]
}

/** Says how far these loops are, and has them paused when an operator says so. */
export function reporterLoop(
  [backfiller, ...others]: readonly RepoBackfiller[],
  options: Omit<BackfillReporterOptions, 'backfiller' | 'others'>,
): BackfillReporter | undefined {
  return backfiller && new BackfillReporter({ ...options, backfiller, others })
}
