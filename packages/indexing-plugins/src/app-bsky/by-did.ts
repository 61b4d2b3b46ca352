import { InvalidRecordError, uriAuthority } from '@millrace/indexing'

/** Whether a URI names the account by its DID. The lexicons allow a handle too. */
export function isByDid(uri: string): boolean {
  return uriAuthority(uri).startsWith('did:')
}

/**
 * Readers take the account out of these URIs. Where it is a handle they fail, and with the record every feed and thread
 * that it is in.
 * @throws {InvalidRecordError}
 */
export function requireDids(uris: readonly (string | undefined)[]): void {
  const byHandle = uris.find((uri) => uri !== undefined && !isByDid(uri))
  if (byHandle !== undefined) throw new InvalidRecordError(`names a record by a handle: ${byHandle}`)
}
