import { verifySignatureNow } from '@millrace/identity'
import type { PackedChecks } from './signature-check.ts'

/** For each check, in order, 1 if its signature holds and 0 if it does not. */
export function verifyPacked({ didKeys, content, ends }: PackedChecks): Uint8Array<ArrayBuffer> {
  const holds = new Uint8Array(didKeys.length)
  let start = 0
  for (const [index, didKey] of didKeys.entries()) {
    const [middle, end] = [ends[index * 2]!, ends[index * 2 + 1]!]
    if (verifySignatureNow(didKey, content.subarray(start, middle), content.subarray(middle, end))) holds[index] = 1
    start = end
  }
  return holds
}
