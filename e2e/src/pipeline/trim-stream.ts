import { connectRedis } from './connect-redis.ts'

/** Leaves the newest entries of a stream, as somebody may who needs room. @returns how many went. */
export async function trimStream(redisUrl: string, stream: string, left: number): Promise<number> {
  using redis = await connectRedis(redisUrl)
  return Number(await redis.sendCommand(['XTRIM', stream, 'MAXLEN', String(left)]))
}
