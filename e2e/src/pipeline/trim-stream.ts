import { createClient } from 'redis'

/** Leaves the newest entries of a stream, as somebody may who needs room. @returns how many went. */
export async function trimStream(redisUrl: string, stream: string, left: number): Promise<number> {
  const redis = await createClient({ url: redisUrl }).connect()
  try {
    return Number(await redis.sendCommand(['XTRIM', stream, 'MAXLEN', String(left)]))
  } finally {
    redis.destroy()
  }
}
