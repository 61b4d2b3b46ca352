import type { StoredEntry } from './make-batch.ts'

/** Characters of a batch beyond which no more is read for it: what is read is held several times over. */
const ENOUGH = 4 * 1024 * 1024
/** Most entries of one answer: entries may suddenly be a thousand times as large as those before. */
const MOST_IN_ONE_READ = 250
/** Entries of the first answer, while nothing is known of them. */
const FIRST_READ = 16

/**
 * Cuts the reading of batches into steps, so that the size of a batch in memory is bounded although that of an entry is
 * not. A batch ends when it is full, when it holds enough text, or when the store has no more: a short stream makes a
 * short batch, at once.
 */
export class BatchReads {
  readonly #batchSize: number
  #charactersPerEntry = ENOUGH / FIRST_READ

  constructor(batchSize: number) {
    this.#batchSize = batchSize
  }

  /** How many entries one read may ask for, as large as they have been of late. */
  get step(): number {
    const fitting = Math.floor(ENOUGH / this.#charactersPerEntry)
    return Math.max(1, Math.min(fitting, MOST_IN_ONE_READ, this.#batchSize))
  }

  /** Learns from what a read has brought. @returns the characters in it. */
  saw(entries: readonly StoredEntry[]): number {
    const characters = entries.reduce((sum, { text }) => sum + (text?.length ?? 0), 0)
    if (entries.length > 0) this.#charactersPerEntry = Math.max(1, characters / entries.length)
    return characters
  }

  /** A batch to be read: while `count` is above 0, that many entries are to be asked for, and added. */
  begin(): BatchRead {
    return new BatchRead(this, this.#batchSize)
  }
}

export class BatchRead {
  readonly entries: StoredEntry[] = []
  readonly #reads: BatchReads
  readonly #batchSize: number
  #characters = 0
  #count: number

  constructor(reads: BatchReads, batchSize: number) {
    this.#reads = reads
    this.#batchSize = batchSize
    this.#count = reads.step
  }

  /** Entries that the next read is to ask for; 0 when the batch is complete. */
  get count(): number {
    return this.#count
  }

  add(found: readonly StoredEntry[]): void {
    for (const entry of found) this.entries.push(entry)
    this.#characters += this.#reads.saw(found)
    const isLast = found.length < this.#count || this.#characters >= ENOUGH
    this.#count = isLast ? 0 : Math.min(this.#reads.step, this.#batchSize - this.entries.length)
  }
}
