/** What indexer, ingester, repairs and the operator's tools are held to. Everything else that a benchmark prints is there to be known. */
export const goals = {
  /** Of the live mix: how often as fast as the reference, and as bare statements. */
  live: { toReference: 12, toBare: 0.6 },
  /** Per record in a batch of the live mix. */
  roundTripsPerRecord: 0.1,
  /** Write-ahead log for a record, as a share of the reference's. */
  walToReference: 1,
  /** Of whole repos. */
  backfill: { toReference: 15 },
  /** What has to be left of the ratios of the live mix when Postgres has to fetch its indexes from elsewhere. */
  shareWithSmallBuffers: 2 / 3,
  /** Most that the indexer may ever take. */
  residentMegabytes: 600,
  /** Within which 99 % of records are visible, at a steady rate. */
  visibleMs: 500,
  /** For a thousand records of which one cannot be stored: the batch, both halves at each of ten levels, one to spare. */
  poisonTransactions: 22,
  /**
   * Of whole repos on their way to a stream: how often as fast as `verifyRepoCar`, records a second of one core, how many
   * times as many small repos, and what share of the memory.
   */
  wholeRepos: { verify: 5, entriesPerSecond: 15_000, repos: 5, memory: 0.25 },
  /** From the socket to the stream: how often as fast as the reference, which verifies nothing. */
  ingest: { unverified: 3, integrity: 2, signaturesPerSecond: 3_500 },
  /** Of a hidden limit of a host, the share that is used; of the requests, the share that it refuses. */
  pacing: { used: 0.9, refused: 0.01 },
  /** What a repair fetches, as a share of a first backfill: when nothing has changed, and when 3 % of the repos have. */
  repair: { unchanged: 1 / 50, lost: 0.06 },
  /** Within which half of an operator's questions are answered, and how many records are indexed at least meanwhile. */
  tools: { answerMs: 1_000, busyPerSecond: 80 },
} as const
