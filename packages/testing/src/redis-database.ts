import { createClient } from 'redis'

/** Removes everything from the database of this URL, and what a test may have set on its server. */
export async function emptyRedis(url: string): Promise<void> {
  const redis = createClient({ url, socket: { reconnectStrategy: false } })
  // Failures come out of the commands; without a listener they would be thrown a second time.
  redis.on('error', () => undefined)
  await redis.connect()
  try {
    await redis.flushDb()
  } finally {
    await redis.close()
  }
}
