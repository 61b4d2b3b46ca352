import {
  BackfillQueue,
  CheckpointKeeper,
  BY_COLLECTION,
  readCheckpoint,
  readStoredRepos,
  shareCollectionFilter,
  shareRepos,
  StreamEpoch,
  type Database,
  type TakenRepos,
} from '@millrace/database'
import { createGuardedFetch, type DidResolver, type GuardedFetch } from '@millrace/identity'
import {
  BackfillIngester,
  FirehoseIngester,
  hostLabel,
  hostWithScheme,
  LabelerIngester,
  type SignaturePool,
  type Verify,
} from '@millrace/ingest'
import { comparePage } from '@millrace/repair'
import { pacedFetch, type HostPacer } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  cursorKey,
  DEFAULT_HIGH_WATER_MARK,
  labelEventCodec,
  streamEventCodec,
  streams,
  type BackfillEvent,
  type CollectionFilter,
  type Ledger,
  type Logger,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'

export interface IngesterOptions {
  store: StreamStore
  /** Keeps what could not be processed. Without it, that is counted and logged. */
  ledger?: Ledger | undefined
  /**
   * Keeps checkpoints, from which reading goes on when the store of streams has lost its cursors, and says which of the
   * listed repos have moved. Without it, a lost cursor means to start anew.
   */
  database?: Database | undefined
  /** Relays or PDSs. Each gets a loop for its firehose and one for the list of its repos. */
  hosts: readonly string[]
  labelerHosts?: readonly string[] | undefined
  /** Labelers whose labels need no signature. */
  unsignedLabelers?: readonly string[] | undefined
  /**
   * Looks up labelers, whose labels are then verified unless `verify` is `off`, and accounts, for `signatures`. Without
   * it, neither is done.
   */
  resolver?: Pick<DidResolver, 'resolve' | 'expire'> | undefined
  /** Checks the signatures of commits, with `signatures`. */
  signaturePool?: SignaturePool | undefined
  /** Says when hosts may be asked for their lists: in turn with all else that they are asked for. @default at any time */
  pacer?: HostPacer | undefined
  /** Lets labelers be on this machine. @default false */
  allowPrivateHosts?: boolean
  /** @default 'integrity' */
  verify?: Verify
  /** Of other collections nothing is taken from firehoses. See `shareCollections` for the repos. @default all */
  collections?: CollectionFilter | undefined
  /**
   * Some: of other accounts nothing is taken, and none are listed. See `shareAccounts` for their repos. By collection:
   * those are listed that have records of `collections`, none of which ends with `*`; needs `database`. @default null: all
   */
  dids?: TakenRepos | undefined
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

/** How often a host whose repos are listed is looked at: whether it is to be listed again. */
const LISTING_WATCH_MS = 10_000

/** What lists want of hosts comes before the first fetch of repos, as repairs do. */
const LIST_PRIORITY = 2
const MAX_LIST_BYTES = 16_000_000

/** How far labelers with much to say at once fill the stream of labels (hazard L12). */
const BULK_SHARE = 1 / 20

/** Each has a `name` and a `status()`. */
export type IngesterLoop = FirehoseIngester | BackfillIngester | LabelerIngester

/** The loops of an ingester, not yet running: two for each host (one with `dids`), one for each labeler. */
export function ingesterLoops({
  store,
  ledger,
  database,
  hosts,
  labelerHosts = [],
  unsignedLabelers = [],
  resolver,
  signaturePool,
  pacer,
  allowPrivateHosts = false,
  verify = 'integrity',
  collections,
  dids = null,
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
  const repos = store.writer({ stream: repoStream, codec: backfillEventCodec, bulk: true, ...mark(repo) })
  const labels = store.writer({ stream: labelStream, codec: labelEventCodec, ...mark(label) })
  const bulkMark = Math.ceil((label ?? DEFAULT_HIGH_WATER_MARK) * BULK_SHARE)
  const bulkLabels = store.writer({ stream: labelStream, codec: labelEventCodec, bulk: true, ...mark(bulkMark) })
  const start = (host: string) => async (): Promise<string | null> =>
    (database && (await readCheckpoint(database, hostLabel(host), firehoseStream))) ?? startCursor
  const signatures = resolver && signaturePool && { resolver, pool: signaturePool }
  const firehoses = hosts.map(
    (host) =>
      new FirehoseIngester({
        ...shared,
        host,
        sink: events,
        verify,
        signatures,
        collections,
        ...(dids === BY_COLLECTION ? { byCollection: true } : { dids: dids ?? undefined }),
        startCursor: start(host),
      }),
  )
  const listed = dids === BY_COLLECTION ? collections?.patterns : undefined
  const select = database && (listed ? addMoved : selectMoved)(database)
  return [
    ...firehoses,
    ...(dids instanceof Set ? [] : hosts).map((host, index) => {
      const ready = (signal: AbortSignal): Promise<void> => firehoses[index]!.connected(signal)
      return new BackfillIngester({
        ...shared,
        host,
        sink: repos,
        ...(pacer && { fetch: listingFetch(pacer) }),
        collections: listed,
        maxRepos,
        ready,
        ...(select && { select, watchMs: LISTING_WATCH_MS }),
      })
    }),
    ...labelerHosts.map((host) => {
      const unsigned = unsignedLabelers.includes(host)
      const verifies = resolver && verify !== 'off' ? { resolver, unsigned, allowPrivateHosts } : undefined
      return new LabelerIngester({ ...shared, host, sink: labels, bulk: { sink: bulkLabels }, verify: verifies })
    }),
  ]
}

export type ShareCollectionsOptions = Pick<IngesterOptions, 'hosts' | 'logger'> & {
  database: Database
  collections: CollectionFilter
}

/** Tells backfillers which collections are taken, and has fetched what was left out until now. To be done before reading. */
export async function shareCollections({
  database,
  collections,
  hosts,
  logger,
}: ShareCollectionsOptions): Promise<void> {
  const shared = await shareCollectionFilter({ database, collections, hosts: hosts.map(hostLabel) })
  if (shared.change === 'none') return
  const fields = { before: String(shared.before), now: String(collections) }
  if (shared.change === 'wider')
    logger.warn(fields, 'more collections are taken than before: all repos are fetched anew')
  else logger.warn(fields, 'fewer collections are taken than before: rows of others stay until their repo is fetched')
}

export type ShareAccountsOptions = Pick<IngesterOptions, 'hosts' | 'logger'> & {
  database: Database
  dids: TakenRepos
}

/** Tells repairs which accounts are taken, and has fetched those that were not until now. To be done before reading. */
export async function shareAccounts({ database, dids, hosts, logger }: ShareAccountsOptions): Promise<void> {
  const shared = await shareRepos({ database, dids, hosts: hosts.map(hostLabel) })
  if (shared.change === 'added') logger.info({ accounts: shared.count }, 'accounts are taken that were not before')
  if (shared.change === 'others') logger.warn({}, 'other accounts are taken than before: their repos are fetched anew')
}

export type CheckpointOptions = Pick<IngesterOptions, 'store' | 'hosts' | 'firehoseStream' | 'logger'> & {
  database: Database
}

/** Keeps how far the rows of each host are, beside the loops that read it. */
export function checkpointLoop({
  store,
  database,
  hosts,
  firehoseStream: stream = streams.firehoseLive,
  logger,
}: CheckpointOptions): CheckpointKeeper {
  const upstreams = hosts.map((host) => ({
    host: hostLabel(host),
    stream,
    url: hostWithScheme(host),
    cursorKey: cursorKey(stream, host),
  }))
  return new CheckpointKeeper({ database, store, upstreams, logger })
}

export type StreamEpochLoopOptions = Pick<
  IngesterOptions,
  'hosts' | 'labelerHosts' | 'firehoseStream' | 'labelStream' | 'repoStream' | 'store' | 'logger' | 'meter'
> & {
  database: Database
  /** The loops that read these hosts: they connect anew when the store has lost what it held. */
  loops: readonly IngesterLoop[]
  /** @default 'firehose_backfill' */
  backfillStream?: string
}

/** Notices that the store of streams was emptied, and goes back to what Postgres knows. */
export function streamEpochLoop({
  store,
  database,
  loops,
  hosts,
  labelerHosts = [],
  firehoseStream = streams.firehoseLive,
  labelStream = streams.labelLive,
  repoStream = streams.repoBackfill,
  backfillStream = streams.firehoseBackfill,
  logger,
  meter,
}: StreamEpochLoopOptions): StreamEpoch {
  const upstream = (stream: string) => (host: string) => ({ host: hostLabel(host), stream, url: hostWithScheme(host) })
  return new StreamEpoch({
    database,
    store,
    streams: [firehoseStream, labelStream, repoStream, backfillStream],
    upstreams: [...hosts.map(upstream(firehoseStream)), ...labelerHosts.map(upstream(labelStream))],
    labelStream,
    repoStream,
    onLoss: () => {
      for (const loop of loops) if ('restart' in loop) loop.restart()
    },
    logger,
    meter,
  })
}

/** Operators name these hosts, wherever they are, and these name no others. */
function listingFetch(pacer: HostPacer): GuardedFetch {
  const fetch = createGuardedFetch({ allowPrivateHosts: true, maxRedirects: 0, maxBytes: MAX_LIST_BYTES })
  return pacedFetch({ fetch, pacer, priority: LIST_PRIORITY })
}

type Select = (listed: readonly BackfillEvent[]) => Promise<readonly BackfillEvent[]>

/** Repos that have something we lack, and accounts that the host sees differently. */
const selectMoved =
  (database: Database): Select =>
  async (listed) => {
    const ours = await readStoredRepos(
      database,
      listed.map(({ did }) => did),
    )
    const { fetch, statusDiffers } = comparePage(listed, ours, { sinceMs: null, all: false })
    const wanted = new Set([...fetch, ...statusDiffers].map(({ did }) => did))
    return listed.filter(({ did }) => wanted.has(did))
  }

/**
 * The same, where they are listed by collection: they are added to the backfill, and so are known before they are fetched.
 * One that has records of several collections is listed several times, and waits there once.
 */
const addMoved =
  (database: Database): Select =>
  async (listed) => {
    const moved = await selectMoved(database)(listed)
    await new BackfillQueue(database).add(moved.map(({ did }) => did))
    return []
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
