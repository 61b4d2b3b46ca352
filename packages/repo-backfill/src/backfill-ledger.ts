import {
  backfillEventCodec,
  GHOST,
  hostWithoutScheme,
  OWN_PDS,
  type BackfillEvent,
  type Batch,
  type DeadLetter,
  type DirtyMark,
  type Entry,
  type Ledger,
  type Logger,
} from '@millrace/stream-protocol'
import { InvalidRepoError } from './errors.ts'

/** The ledger did not answer: what it should keep is kept in the stream until it does. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
}

/** A repo that nothing came of, or a part of it. */
interface Subject {
  batch: Pick<Batch<BackfillEvent>, 'stream'>
  entry: Entry<BackfillEvent>
}

const MAX_PAYLOAD = 64 * 1024

/** What becomes of what a backfill cannot use. Everything here rejects with a {@link LedgerError} when nobody took it. */
export class BackfillLedger {
  readonly #ledger: Ledger
  readonly #logger: Logger

  constructor({ ledger, logger }: { ledger: Ledger; logger: Logger }) {
    this.#ledger = ledger
    this.#logger = logger
  }

  /** A repo that was tried as often as it may be. @returns how it leaves the backfill. */
  async giveUp({ batch, entry }: Subject, error: unknown): Promise<'dead-letter' | 'postponed'> {
    const { did, host } = entry.event
    const reason = reasonOf(error)
    // It is wanted no sooner than before, for having failed.
    const mark = entry.priority === undefined ? {} : { priority: entry.priority }
    if (reason === 'future-rev') {
      // Who is right, our clock or theirs, shows later: it is looked at again, and nothing is given up (hazard J13).
      await this.#mark(entry.event, reason, mark)
      return 'postponed'
    }
    this.#logger.error({ did, host, reason, err: error }, 'repo given up')
    const message = error instanceof Error ? error.message : String(error)
    const payload = backfillEventCodec.encode(entry.event)
    await this.#keep([{ stream: batch.stream, entryId: entry.id, reason, error: message, did, host, payload }])
    await this.#mark(entry.event, 'invalid-repo', mark)
    return 'dead-letter'
  }

  /** A repo whose host has no time for it now: it is kept for later, here and not in memory. */
  async postpone({ did, host, rev }: BackfillEvent, mark: { priority: number; waitMs: number }): Promise<void> {
    await this.#mark({ did, host, rev }, 'busy-host', mark)
  }

  /** Records of a repo that no event can carry. */
  async leaveOut(
    { batch, entry }: Subject,
    host: string,
    records: readonly { uri: string; reason: string; error: string }[],
  ): Promise<void> {
    const { did } = entry.event
    const payload = backfillEventCodec.encode(entry.event)
    const { stream } = batch
    await this.#keep(records.map((record) => ({ ...record, stream, entryId: entry.id, did, host, payload })))
  }

  /** Entries that are no backfill events (hazard S20). */
  async reject({ rejected, stream }: Batch<BackfillEvent>): Promise<void> {
    const letters = rejected
      .filter(({ error }) => error.reason !== GHOST)
      .map(({ id, raw, error }) => ({
        stream,
        entryId: id,
        reason: error.reason,
        error: error.message,
        did: error.did,
        payload: (raw ?? '').slice(0, MAX_PAYLOAD),
      }))
    const marks = rejected.flatMap(({ error }) => (error.did ? [{ did: error.did, reason: 'bad-entry' }] : []))
    if (letters.length > 0) await this.#keep(letters)
    // Which repo it asked for is lost with it: every host is compared (hazard S10).
    if (letters.length < rejected.length)
      await taken(this.#ledger.recordGap({ host: '', stream, reason: 'lost-entries' }))
    if (marks.length > 0) await taken(this.#ledger.markDirty(marks))
  }

  async #mark({ did, host, rev }: BackfillEvent, reason: string, more: Partial<DirtyMark> = {}): Promise<void> {
    // Marks name hosts without their scheme, and none for the account's own.
    const known = host !== OWN_PDS && { host: hostWithoutScheme(host) }
    await taken(this.#ledger.markDirty([{ did, reason, rev, ...known, ...more }]))
  }

  async #keep(letters: readonly DeadLetter[]): Promise<void> {
    await taken(this.#ledger.deadLetter(letters))
  }
}

/** Why a repo is given up, in one word. */
export function reasonOf(error: unknown): string {
  return error instanceof InvalidRepoError ? error.reason : 'unexpected'
}

async function taken(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (cause) {
    throw new LedgerError('the ledger did not take it', { cause })
  }
}
