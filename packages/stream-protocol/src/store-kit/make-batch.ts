import { InvalidEventError } from '../errors.ts'
import { GHOST, type Batch, type Codec, type Entry, type RejectedEntry } from '../ports.ts'

/** An entry as its store keeps it. */
export interface StoredEntry {
  id: string
  /** What the codec's field holds. Undefined: no such field. Null: the entry was gone when it was read. */
  text: string | undefined | null
}

export interface MakeBatchOptions<T> {
  stream: string
  codec: Codec<T>
  stored: readonly StoredEntry[]
  /** Entries of this run that were given out and not acked. The batch adds its own, and takes them out when acked. */
  held: Set<string>
  /** Takes entries out of the store. */
  ack(ids: string[]): Promise<void>
}

/** Decodes what a store has read, and sorts out what is no event: the part of a `BatchSource` that all stores share. */
export function makeBatch<T>({ stream, codec, stored, held, ack }: MakeBatchOptions<T>): Batch<T> {
  const entries: Entry<T>[] = []
  const rejected: RejectedEntry[] = []
  const open = new Set<string>()
  for (const { id, text } of stored) {
    held.add(id)
    open.add(id)
    const decoded = decode(codec, text)
    if (decoded instanceof InvalidEventError) rejected.push({ id, raw: text ?? null, error: decoded })
    else entries.push({ id, event: decoded.event })
  }
  return {
    stream,
    entries,
    rejected,
    ack: async (ids) => {
      const acked = ids ? ids.filter((id) => open.has(id)) : [...open]
      if (acked.length === 0) return
      await ack(acked)
      for (const id of acked) {
        open.delete(id)
        held.delete(id)
      }
    },
  }
}

function decode<T>(codec: Codec<T>, text: StoredEntry['text']): { event: T } | InvalidEventError {
  if (text === null) return new InvalidEventError(GHOST, 'entry was deleted before it was acked')
  if (text === undefined) return new InvalidEventError('no-field', `entry has no field ${codec.field}`)
  try {
    return { event: codec.decode(text) }
  } catch (error) {
    if (error instanceof InvalidEventError) return error
    // Whatever a decoder throws is about this one entry: it must not stop the entries behind it (hazard G11).
    return new InvalidEventError('undecodable', 'entry cannot be decoded', { cause: error })
  }
}
