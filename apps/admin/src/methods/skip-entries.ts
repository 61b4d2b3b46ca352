import { PostgresLedger, type Database } from '@millrace/database'
import { compareIds, GHOST, type Batch, type Codec, type DeadLetter, type StreamStore } from '@millrace/stream-protocol'
import { TRIM_CONSUMER } from './trim-plan.ts'

export interface SkipOptions {
  store: StreamStore
  database: Database
  stream: string
  group: string
  /** Name of the field that entries of the stream have. */
  field: string
  /** How far the group has read. */
  lastDeliveredId: string
  /** The last entry to skip. */
  to: string
  signal: AbortSignal
}

/** Reason of the letters that are left of skipped entries. */
export const SKIPPED = 'skipped'
/** Consumers that hold something were not heard of for longer: whoever asks has made sure of it. */
const CLAIM_IDLE_MS = 1

/**
 * Takes entries out of a group that nobody reads, as a consumer of it: each is a dead letter before it is acked, so that
 * it can be put back, and whatever becomes of us nothing is gone without a trace (hazard G1). What the store counts as
 * acked and what it deletes are as ever.
 * @returns how many; and whether there are more.
 */
export async function skipEntries({
  store,
  database,
  stream,
  group,
  field,
  lastDeliveredId,
  to,
  signal,
}: SkipOptions): Promise<{ skipped: number; isOver: boolean }> {
  const ledger = new PostgresLedger({ database })
  // Of what is left out somebody may have more than we: every host is compared. First of all (hazard G3).
  await ledger.recordGap({ host: '', stream, reason: SKIPPED })
  const source = store.consumer({
    stream,
    group,
    consumer: TRIM_CONSUMER,
    codec: textCodec(field),
    batchSize: 200,
    blockMs: 100,
    claimIdleMs: CLAIM_IDLE_MS,
  })
  let skipped = 0
  let hasReached = compareIds(lastDeliveredId, to) >= 0
  const isOver = async (): Promise<boolean> => {
    if (!hasReached) return false
    const [first] = await store.pending(stream, group, { after: '0-0', limit: 1 })
    return !first || compareIds(first.id, to) > 0
  }
  const stop = new AbortController()
  for await (const batch of source.batches(AbortSignal.any([signal, stop.signal]))) {
    const ids = [...batch.entries, ...batch.rejected].map(({ id }) => id)
    const going = ids.filter((id) => compareIds(id, to) <= 0)
    await ledger.deadLetter(lettersOf(batch, new Set(going)))
    await batch.ack(going)
    skipped += going.length
    hasReached ||= ids.some((id) => compareIds(id, to) >= 0)
    if (await isOver()) stop.abort()
  }
  return { skipped, isOver: stop.signal.aborted }
}

function lettersOf(batch: Batch<string>, going: ReadonlySet<string>): DeadLetter[] {
  const { stream } = batch
  const letter = { stream, reason: SKIPPED, error: 'an operator had it skipped' }
  return [
    ...batch.entries.map(({ id, event }) => ({ ...letter, entryId: id, payload: event })),
    // What an entry said that is gone already nobody knows.
    ...batch.rejected
      .filter(({ error }) => error.reason !== GHOST)
      .map(({ id, raw }) => ({ ...letter, entryId: id, payload: raw ?? '' })),
  ].filter(({ entryId }) => going.has(entryId))
}

/** Entries as they stand. */
function textCodec(field: string): Codec<string> {
  return { field, encode: (text) => text, decode: (text) => text }
}
