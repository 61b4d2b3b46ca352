import { BackfillIngester, FirehoseIngester } from '@millrace/ingest'
import { ageSeconds } from '@millrace/runtime'
import { streams } from '@millrace/stream-protocol'
import type { SourceNetwork } from './network.ts'
import type { Pipeline } from './pipeline.ts'
import type { Services } from './services.ts'

/** How everything stands at one moment, in numbers. */
export interface Snapshot {
  /** Epoch milliseconds. */
  at: number
  firehose: { state: string; reason: string | undefined; seq: number | null; head: number | undefined; events: number }
  listing: { state: string; reason: string | undefined; repos: number }
  backfill: {
    done: number
    failed: number
    retrying: number
    running: number
    total: number
    records: number
    bytes: number
    lastError: string | undefined
  }
  /** Entries that wait in streams, delivered or not, by stream. */
  waiting: Record<string, number>
  /** Age of the entry that has waited longest, in seconds. */
  behindSeconds: number
  indexed: number
  labels: number
  handlesWaiting: number
  /** Accounts whose PDS is to be asked, or whose records are to be removed. */
  accountsWaiting: number
  deadLetters: Record<string, number>
  dirty: number
  gaps: number
}

const names = Object.values(streams)

export async function takeSnapshot(
  network: SourceNetwork,
  { ingesters, backfillers, indexers, ledger }: Pipeline,
  { store }: Services,
): Promise<Snapshot> {
  const [statuses, summary, handlesWaiting, accountsWaiting] = await Promise.all([
    store.status(names),
    ledger.summary(),
    indexers.handles.pending(),
    indexers.accounts.pending(),
  ])
  const at = Date.now()
  const firehose = ingesters.find((loop) => loop instanceof FirehoseIngester)!.status()
  const listing = ingesters.find((loop) => loop instanceof BackfillIngester)!.status()
  const backfill = backfillers[0]!.status()
  const waiting = Object.fromEntries(statuses.map(({ stream, length }) => [stream, length]))
  return {
    at,
    firehose: {
      state: firehose.state,
      reason: firehose.reason,
      seq: firehose.lastSeq,
      head: network.head(),
      events: firehose.events,
    },
    listing: { state: listing.state, reason: listing.reason, repos: listing.repos },
    backfill: {
      done: backfill.done,
      failed: backfill.failed,
      retrying: backfill.retrying,
      running: backfill.running,
      total: backfill.done + backfill.failed + (waiting[streams.repoBackfill] ?? 0),
      records: backfill.records,
      bytes: backfill.bytes,
      lastError: backfill.lastError?.message,
    },
    waiting,
    behindSeconds: Math.max(
      ...statuses.filter(({ stream }) => stream !== streams.repoBackfill).map(({ firstId }) => ageSeconds(firstId, at)),
    ),
    indexed: indexers.streams.reduce((sum, loop) => sum + loop.status().entries, 0),
    labels: indexers.labels.status().entries,
    handlesWaiting,
    accountsWaiting,
    deadLetters: summary.deadLetters,
    dirty: summary.dirty.count,
    gaps: summary.gaps.length,
  }
}

/** Whether all that was listed, streamed and backfilled is indexed. */
export function isIdle(
  network: SourceNetwork,
  { listing, firehose, waiting, handlesWaiting, accountsWaiting }: Snapshot,
): boolean {
  const upToDate = firehose.head === undefined ? firehose.state === 'streaming' : (firehose.seq ?? -1) >= firehose.head
  return (
    network.isQuiet() &&
    listing.state === 'done' &&
    upToDate &&
    Object.values(waiting).every((length) => length === 0) &&
    handlesWaiting === 0 &&
    accountsWaiting === 0
  )
}
