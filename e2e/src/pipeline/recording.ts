import path from 'node:path'
import { cursorKey, streams } from '@millrace/stream-protocol'
import { connectRedis } from './connect-redis.ts'

/** The recording that everything here is held against. */
export const recordingFolder = path.resolve(import.meta.dirname, '../../../fixtures/network-basic')
/** Sequence number of its last labels. */
export const LAST_LABELS = 8

/** Has the ingester begin at the first frame: a recording has no live end. */
export async function startAtFirstFrame(redisUrl: string, relayUrl: string): Promise<void> {
  using redis = await connectRedis(redisUrl)
  await redis.set(cursorKey(streams.firehoseLive, relayUrl), '0')
}
