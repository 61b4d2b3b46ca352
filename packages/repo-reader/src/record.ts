import { recordJson, type RecordJson } from '@millrace/stream-protocol'
import { decodeCbor } from './cbor.ts'
import { breakRule } from './errors.ts'

export const MAX_RECORD_BYTES = 1_000_000

/**
 * The JSON of a record's block. Whoever reads a record reads it with this, so that what came with the firehose and what
 * came with a repo are the same, or refused alike (hazard G5).
 * @throws {InvalidEventError} `too-large` beyond 1,000,000 bytes, what {@link decodeCbor} throws, or
 * `unrepresentable-record`.
 */
export function readRecord(block: Uint8Array): RecordJson {
  if (block.length > MAX_RECORD_BYTES) breakRule('record-size', `the record has ${block.length} bytes`)
  return recordJson(decodeCbor(block))
}
