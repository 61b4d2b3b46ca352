import { expect, test } from 'vitest'
import { connectRedis, redactRedisUrl, redisUrlFromHost } from './connect.ts'

test.for([
  { host: 'redis.internal', url: 'redis://redis.internal:6379' },
  { host: 'redis.internal:7000', url: 'redis://redis.internal:7000' },
  { host: '10.0.0.1', url: 'redis://10.0.0.1:6379' },
  { host: '::1', url: 'redis://[::1]:6379' },
  { host: '[::1]:7000', url: 'redis://[::1]:7000' },
])('REDIS_HOST=$host means $url', ({ host, url }) => {
  expect(redisUrlFromHost(host)).toBe(url)
})

test.for([
  { url: 'redis://user:secret@redis.internal:6379/2', shown: 'redis://user:***@redis.internal:6379/2' },
  { url: 'rediss://:secret@redis.internal?x=secret#secret', shown: 'rediss://:***@redis.internal' },
  { url: 'redis://redis.internal', shown: 'redis://redis.internal' },
])('$shown is what is shown of a URL (M9)', ({ url, shown }) => {
  expect(redactRedisUrl(url)).toBe(shown)
})

test('another scheme is no Redis URL', async () => {
  await expect(connectRedis({ url: 'http://redis.internal' })).rejects.toThrow('redis:// or rediss://')
})
