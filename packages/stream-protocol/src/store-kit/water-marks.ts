import { DEFAULT_HIGH_WATER_BYTES, DEFAULT_HIGH_WATER_MARK } from '../streams.ts'
import type { WriterOptions } from '../ports.ts'

/** What a store holds, or may hold before its writers wait (hazard S14). */
export interface WaterMarks {
  /** In the stream. */
  entries: number
  /** Of the stream. */
  bytes: number
  /** Used share of the memory that the store may take for all of its streams, between 0 and 1. */
  memory: number
}

/** Writers that wait go on once this share of each mark is left, so that they do not stop at every entry. */
const LOW_SHARE = 0.9
/** What a store needs for itself lies above: below it nothing is refused. */
const MEMORY_MARK = 0.9
const BULK_MEMORY_MARK = 0.75

/** At which marks a writer begins to wait (`high`), and below which it goes on (`low`). */
export function waterMarks<T>({
  highWaterMark: entries = DEFAULT_HIGH_WATER_MARK,
  highWaterBytes: bytes = DEFAULT_HIGH_WATER_BYTES,
  bulk = false,
}: Pick<WriterOptions<T>, 'highWaterMark' | 'highWaterBytes' | 'bulk'>): { high: WaterMarks; low: WaterMarks } {
  const high = { entries, bytes, memory: bulk ? BULK_MEMORY_MARK : MEMORY_MARK }
  const low = { entries: entries * LOW_SHARE, bytes: bytes * LOW_SHARE, memory: high.memory * LOW_SHARE }
  return { high, low }
}
