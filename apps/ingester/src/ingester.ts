import { BackfillIngester, FirehoseIngester, LabelerIngester, type Verify } from '@millrace/ingest'
import {
  backfillEventCodec,
  labelEventCodec,
  streamEventCodec,
  sleep,
  streams,
  type Ledger,
  type Logger,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'

export interface IngesterOptions {
  store: StreamStore
  /** Keeps what could not be processed. Without it, that is counted and logged. */
  ledger?: Ledger | undefined
  /** Relays or PDSs. Each gets a loop for its firehose and one for the list of its repos. */
  hosts: readonly string[]
  labelerHosts?: readonly string[] | undefined
  /** @default 'integrity' */
  verify?: Verify
  /** Where a firehose without a stored cursor begins: `0` for the oldest, null for the live end. @default null */
  startCursor?: string | null
  /** Repos after which the list of a host is left. @default all */
  maxRepos?: number
  /** @default 'firehose_live' */
  firehoseStream?: string
  /** @default 'label_live' */
  labelStream?: string
  /** @default 'repo_backfill' */
  repoStream?: string
  /** Entries at which writers wait. @default 100_000 each */
  highWaterMarks?: { firehose?: number; label?: number; repo?: number }
  logger: Logger
  meter: Meter
}

/** Each has a `name` and a `status()`. */
export type IngesterLoop = FirehoseIngester | BackfillIngester | LabelerIngester

/** The loops of an ingester, not yet running: two for each host, one for each labeler. */
export function ingesterLoops({
  store,
  ledger,
  hosts,
  labelerHosts = [],
  verify = 'integrity',
  startCursor = null,
  maxRepos = Number.POSITIVE_INFINITY,
  firehoseStream = streams.firehoseLive,
  labelStream = streams.labelLive,
  repoStream = streams.repoBackfill,
  highWaterMarks = {},
  logger,
  meter,
}: IngesterOptions): IngesterLoop[] {
  const { cursors } = store
  const shared = { cursors, ledger, logger, meter }
  const { firehose, label, repo } = highWaterMarks
  const events = store.writer({ stream: firehoseStream, codec: streamEventCodec, ...mark(firehose) })
  const repos = store.writer({ stream: repoStream, codec: backfillEventCodec, ...mark(repo) })
  const labels = store.writer({ stream: labelStream, codec: labelEventCodec, ...mark(label) })
  const firehoses = hosts.map((host) => new FirehoseIngester({ ...shared, host, sink: events, verify, startCursor }))
  return [
    ...firehoses,
    ...hosts.map((host, index) => {
      const ready = (signal: AbortSignal): Promise<void> => connected(firehoses[index]!, signal)
      return new BackfillIngester({ ...shared, host, sink: repos, maxRepos, ready })
    }),
    ...labelerHosts.map((host) => new LabelerIngester({ ...shared, host, sink: labels })),
  ]
}

/** Waits until a firehose is open, or has been read before: what is listed from then on is in it as well. */
async function connected(firehose: FirehoseIngester, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { state, cursor } = firehose.status()
    if (state === 'streaming' || cursor !== null) return
    await sleep(50, signal)
  }
}

const mark = (highWaterMark: number | undefined) => (highWaterMark === undefined ? {} : { highWaterMark })

/**
 * What is not as it should be, in a sentence; undefined when every host is read. For a health check: a host that is
 * away is waited for, and is no reason to restart the process.
 */
export function describeTrouble(loops: readonly IngesterLoop[]): string | undefined {
  const troubled = loops
    .map((loop) => ({ name: loop.name, ...loop.status() }))
    .filter(({ state }) => state === 'waiting' || state === 'halted')
    .map(({ name, state, reason }) => `${name} is ${state}${reason ? ` (${reason})` : ''}`)
  return troubled.length > 0 ? troubled.join('; ') : undefined
}
