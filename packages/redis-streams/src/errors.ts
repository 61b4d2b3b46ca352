import { ErrorReply } from 'redis'

/** Redis could not be reached, or did not answer in time. Whether it did what was asked is not known (hazard S13). */
export class RedisAwayError extends Error {
  override readonly name = 'RedisAwayError'
}

/** Redis answered with something that this client does not understand. */
export class UnexpectedReplyError extends Error {
  override readonly name = 'UnexpectedReplyError'
}

/** A Redis that would throw streams and cursors away once its memory is full (hazard S3). */
export class EvictingRedisError extends Error {
  override readonly name = 'EvictingRedisError'
}

/**
 * Replies of a Redis that is starting, full, failing over or busy. They pass without anybody repairing us (hazard G9).
 * MISCONF is a snapshot that could not be written: Redis takes writes again once it can.
 */
const passing = /^(LOADING|OOM|READONLY|MASTERDOWN|NOREPLICAS|BUSY|TRYAGAIN|CLUSTERDOWN|MISCONF) /

/** True for what waiting heals: no connection, no answer, or a Redis that cannot take the command yet. */
export function isTransient(error: unknown): boolean {
  if (error instanceof RedisAwayError) return true
  return error instanceof ErrorReply && (passing.test(error.message) || error.message.startsWith('ERR max number of'))
}

/** The group, or the stream with all of its groups, is gone: Redis was emptied or restored (hazard S4). */
export function isGroupLost(error: unknown): boolean {
  return (
    error instanceof ErrorReply &&
    (/^(NOGROUP|UNBLOCKED) /.test(error.message) || error.message.includes('stream key no longer exists'))
  )
}
