import { homedir } from 'node:os'
import path from 'node:path'
import type { Account } from './account.ts'

/** Where programs are unpacked to: `$XDG_CACHE_HOME/millrace`, else `~/.cache/millrace`. */
export function defaultCacheFolder({ owner }: Account): string {
  // Another user cannot pass through the home of root.
  if (owner) return '/var/cache/millrace'
  // Other than absolute paths are invalid by the XDG specification.
  const cache = process.env['XDG_CACHE_HOME']
  return path.join(cache && path.isAbsolute(cache) ? cache : path.join(homedir(), '.cache'), 'millrace')
}
