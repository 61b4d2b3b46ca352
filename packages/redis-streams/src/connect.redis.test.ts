import { startRedis } from '@millrace/local-services'
import { createLogSpy, eventually, redisTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { expect, test } from 'vitest'
import { connectRedis } from './connect.ts'
import { EvictingRedisError, RedisAwayError } from './errors.ts'
import { openRedisStreams } from './open-redis-streams.ts'

test('a Redis that is not there is an error after the wait, and is named without its password (M9)', async () => {
  const url = 'redis://:secret@127.0.0.1:1'
  const logger = createLogSpy()
  const error = await connectRedis({ url, waitMs: 100, logger }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(RedisAwayError)
  expect(String(error)).toContain('cannot reach Redis at redis://:***@127.0.0.1:1')
  expect(JSON.stringify(logger.entries) + String(error)).not.toContain('secret')
})

test('a wrong password is refused at once', async () => {
  await using server = await startRedis({ settings: { requirepass: 'right' } })
  const { host } = new URL(server.url)
  await expect(connectRedis({ url: `redis://:wrong@${host}`, waitMs: 3_600_000 })).rejects.toThrow('WRONGPASS')
  await expect(connectRedis({ url: `redis://${host}`, waitMs: 3_600_000 })).rejects.toThrow('NOAUTH')
  await using store = await openRedisStreams({ url: `redis://:right@${host}` })
  await store.ping()
  expect(store.location).toBe(`redis://:***@${host}`)
})

redisTest('a command that gets no answer ends, and the connection is replaced (S13)', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using redis = await connectRedis({ url: proxy.url })
  proxy.swallowsAnswers = true
  await expect(redis.command(['PING'], { timeoutMs: 50 })).rejects.toThrow(RedisAwayError)
  proxy.swallowsAnswers = false
  // The old connection stays open, and silent: only a new one helps.
  await eventually(async () => expect(await redis.command(['PING'])).toBe('PONG'))
})

redisTest('a server that takes connections and says nothing is tried again (S13)', async ({ redisUrl }) => {
  const logger = createLogSpy()
  await using proxy = await FaultProxy.listen(redisUrl)
  await using redis = await connectRedis({ url: proxy.url, logger, commandTimeoutMs: 200 })
  proxy.swallowsAnswers = true
  proxy.cut()
  await eventually(() => expect(logger.messages('warn')).toContain('Redis does not answer: connecting anew'))
  proxy.swallowsAnswers = false
  await eventually(async () => expect(await redis.command(['PING'])).toBe('PONG'))
})

redisTest('commands fail at once while Redis is away, and work again once it is back (S13)', async ({ redisUrl }) => {
  const logger = createLogSpy()
  await using proxy = await FaultProxy.listen(redisUrl)
  await using redis = await connectRedis({ url: proxy.url, logger })
  proxy.cut()
  await eventually(async () => expect(redis.command(['PING'])).rejects.toThrow(RedisAwayError))
  await eventually(async () => expect(await redis.command(['PING'])).toBe('PONG'))
  expect(logger.messages('info')).toEqual(['Redis is back'])
  expect(logger.messages('warn')).toEqual(['Redis is away'])
})

redisTest('a closed connection refuses commands', async ({ redisUrl }) => {
  const redis = await connectRedis({ url: redisUrl })
  await redis.close()
  await redis.close()
  await expect(redis.command(['PING'])).rejects.toThrow('closed')
})

test('a Redis that throws streams away when it is full is refused, unless asked for (S3)', async () => {
  await using server = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru', maxmemory: '100mb' } })
  const opening = openRedisStreams({ url: server.url })
  await expect(opening).rejects.toThrow(EvictingRedisError)
  await expect(opening).rejects.toThrow(/maxmemory-policy allkeys-lru: .*; set it to noeviction$/)
  const logger = createLogSpy()
  await using store = await openRedisStreams({ url: server.url, logger, allowEviction: true })
  expect(logger.entries).toMatchObject([{ level: 'warn', fields: { policy: 'allkeys-lru', redis: store.location } }])
})

test('a Redis that would throw streams away once it has a limit is warned of (S3)', async () => {
  await using server = await startRedis({ settings: { 'maxmemory-policy': 'allkeys-lru' } })
  const logger = createLogSpy()
  await using store = await openRedisStreams({ url: server.url, logger })
  expect(logger.entries).toMatchObject([{ level: 'warn', fields: { policy: 'allkeys-lru', redis: store.location } }])
})
