import { ErrorReply } from 'redis'
import type { RedisConnection } from './connect.ts'
import { asList, asMap } from './replies.ts'

/**
 * Creates stream and group if absent. A new group starts at the first entry, never at the end (hazard S4).
 * @returns whether it was absent.
 */
export async function ensureGroup(redis: RedisConnection, stream: string, group: string): Promise<boolean> {
  // A full Redis refuses XGROUP CREATE even for a group that exists, and its readers are what would empty it (S2).
  if (await hasGroup(redis, stream, group)) return false
  try {
    await redis.command(['XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM'])
    return true
  } catch (error) {
    if (error instanceof ErrorReply && error.message.startsWith('BUSYGROUP')) return false
    throw error
  }
}

async function hasGroup(redis: RedisConnection, stream: string, group: string): Promise<boolean> {
  try {
    const groups = asList(await redis.command(['XINFO', 'GROUPS', stream]), 'groups')
    return groups.some((info) => asMap(info, 'group').get('name') === group)
  } catch (error) {
    if (isNoSuchKey(error)) return false
    throw error
  }
}

/** XINFO answers so for a stream that does not exist. */
export function isNoSuchKey(error: unknown): boolean {
  return error instanceof ErrorReply && /^ERR no such key/i.test(error.message)
}
