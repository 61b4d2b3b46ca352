import type { DidResolver, GuardedFetch } from '@millrace/identity'
import { RepoBackfiller } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  groups,
  streamEventCodec,
  streams,
  type Ledger,
  type Logger,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'

export interface BackfillerOptions {
  store: StreamStore
  /** Keeps repos that were given up. Without it, they stay pending and are tried again for ever, slowly. */
  ledger?: Ledger | undefined
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
  /** @default 20 min: longer than one repo may take (hazard S6) */
  claimIdleMs?: number
  resolver: Pick<DidResolver, 'resolve'>
  fetch: GuardedFetch
  logger: Logger
  meter: Meter
}

/** The loops of a backfiller, not yet running. Each has a `name` and a `status()`. */
export function backfillerLoops({
  store,
  ledger,
  consumer,
  group = groups.repoBackfill,
  concurrency = 2,
  backfillStream = streams.repoBackfill,
  firehoseStream = streams.firehoseBackfill,
  highWaterMark,
  attempts,
  claimIdleMs = 20 * 60_000,
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
  })
  const sink = store.writer({
    stream: firehoseStream,
    codec: streamEventCodec,
    ...(highWaterMark !== undefined && { highWaterMark }),
  })
  return [
    new RepoBackfiller({
      source,
      sink,
      resolver,
      fetch,
      concurrency,
      ...(attempts !== undefined && { attempts }),
      ...(ledger && { ledger }),
      logger,
      meter,
    }),
  ]
}
