/** Stream and group names of the pipeline. They are interface: other services read and write the same keys. */
export const streams = {
  /** Record operations and account changes as relays send them. */
  firehoseLive: 'firehose_live',
  /** The records of whole repos. */
  firehoseBackfill: 'firehose_backfill',
  /** Repos to fetch. */
  repoBackfill: 'repo_backfill',
  /** Labels as labelers send them. */
  labelLive: 'label_live',
} as const

/** Names of the groups that our processes read streams as; those of other services of this kind. */
export const groups = {
  firehose: 'firehose_group',
  repoBackfill: 'repo_backfill_group',
  label: 'label_group',
} as const

/** What `seq` says when an event comes from a whole repo, not from a firehose. Any negative number is read so. */
export const SEQ_BACKFILL = -1

/** True for events that were made from a whole repo. */
export function isBackfillSeq(seq: number): boolean {
  return seq < 0
}

/** Stands in place of a `listRepos` cursor once a host has listed everything. */
export const INGESTER_DONE = '!ingester-done'

/** A host as it stands in cursor keys: without its scheme, otherwise untouched. */
export function hostWithoutScheme(host: string): string {
  return host.replace(/^(https?|wss?):\/\//, '')
}

/** Where a reader's place in `host` is kept, e.g. `firehose_live:cursor:bsky.network`. */
export function cursorKey(stream: string, host: string): string {
  return `${stream}:cursor:${hostWithoutScheme(host)}`
}

/**
 * Where a reader counts how often `host` has lost its sequence numbers, e.g. `label_live:epoch:mod.bsky.app`. Absent
 * means never. Numbers of different epochs say nothing about each other.
 */
export function epochKey(stream: string, host: string): string {
  return `${stream}:epoch:${hostWithoutScheme(host)}`
}

/** Where the store of streams keeps what tells it from others, and from itself once it was emptied (hazard I5). */
export const STREAM_EPOCH_KEY = 'millrace:stream-epoch'

/** Where the store of streams keeps how far it saw the database count, which tells a database that went back (hazard I4). */
export const DATABASE_TALLY_KEY = 'millrace:database-tally'

/** Entries at which writers wait, unless configured otherwise. */
export const DEFAULT_HIGH_WATER_MARK = 100_000

/** Bytes that the entries of a stream take in their store at which writers wait, unless configured otherwise. */
export const DEFAULT_HIGH_WATER_BYTES = 1024 ** 3
