import { InvalidRecordError, uriAuthority, uriRkey, type RecordContext } from '@millrace/indexing'

/**
 * The post that a gate is for: one of the author's own, under the gate's own record key.
 * @throws {InvalidRecordError} for any other.
 */
export function gateSubject({ did, rkey, record }: RecordContext<{ post: string }>): string {
  if (uriAuthority(record.post) !== did || uriRkey(record.post) !== rkey)
    throw new InvalidRecordError(`gate for a post that is not its own: ${record.post}`)
  return record.post
}
