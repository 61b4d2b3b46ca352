/** How much each measurement is given. */
export interface Sizes {
  /** Events of the live mix. */
  live: number
  /** Events of the live mix whose rows are compared. */
  compared: number
  /** Events that the whole repos are made of; deletions among them leave fewer records. */
  backfill: number
  /** Events of the live mix on the large database. */
  buffers: number
  /** Records, and as many likes, that the large database holds before. */
  prefilled: number
  /** Events that wait when the indexer starts, in each of its streams. */
  backlog: { live: number; backfill: number }
  latency: { perSecond: number; seconds: number }
  poison: number
}

/** Everything grows with the events of the live mix, but for what means something at one size alone. */
export function sizesOf(events: number): Sizes {
  return {
    live: events,
    compared: Math.min(events, 20_000),
    backfill: Math.ceil(events / 2),
    buffers: Math.ceil(events / 3),
    prefilled: 300_000,
    backlog: { live: Math.ceil((events * 10) / 3), backfill: Math.ceil((events * 5) / 3) },
    latency: { perSecond: 300, seconds: 20 },
    poison: 1000,
  }
}
