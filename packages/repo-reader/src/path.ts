import { isNsid, isRkey } from '@millrace/stream-protocol'

export const MAX_PATH_BYTES = 830

/** The two parts of a record's path in its repo; undefined when it is none. */
export function splitPath(path: string): { collection: string; rkey: string } | undefined {
  const slash = path.indexOf('/')
  if (slash < 0 || path.length > MAX_PATH_BYTES) return undefined
  const collection = path.slice(0, slash)
  const rkey = path.slice(slash + 1)
  return isNsid(collection) && isRkey(rkey) ? { collection, rkey } : undefined
}
