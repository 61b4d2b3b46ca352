import { createClient, type RedisClientType } from 'redis'

/** A connection that is closed when it goes out of scope: also when a test fails, so that its Redis can be stopped. */
export async function connectRedis(url: string): Promise<RedisClientType & Disposable> {
  const client: RedisClientType = createClient({ url })
  // Failures come out of the commands; without a listener they would be thrown a second time, in whatever runs then.
  client.on('error', () => undefined)
  await client.connect()
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() })
}
