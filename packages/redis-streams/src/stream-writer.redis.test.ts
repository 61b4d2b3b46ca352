import { startRedis } from '@millrace/local-services'
import { sleep } from '@millrace/stream-protocol'
import { createLogSpy, eventually, redisTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { expect, test } from 'vitest'
import { connectRedis, type RedisConnection } from './connect.ts'
import { StreamWriter } from './stream-writer.ts'

const codec = { field: 'event', encode: (text: string) => text, decode: (text: string) => text }
const cursor = { key: 's:cursor:host', from: null, to: '2' }
const writer = (redis: RedisConnection) => new StreamWriter({ redis, stream: 's', codec, checkMs: 10 })

redisTest('a stream key of another type refuses the append, and its cursor stays (S12)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await redis.command(['SET', 's', 'text'])
  await expect(writer(redis).append(['a', 'b'], { cursor })).rejects.toThrow('WRONGTYPE')
  await expect(writer(redis).append(['a', 'b'])).rejects.toThrow('WRONGTYPE')
  expect(await redis.command(['GET', cursor.key])).toBeNull()
})

redisTest('a cursor key of another type refuses the append, and nothing is written (S12)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await redis.command(['RPUSH', cursor.key, 'text'])
  await expect(writer(redis).append(['a', 'b'], { cursor })).rejects.toThrow('WRONGTYPE')
  expect(await redis.command(['XLEN', 's'])).toBe(0)
})

redisTest('an append whose reply was lost is there once when it has a cursor (I1)', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using direct = await connectRedis({ url: redisUrl })
  await using redis = await connectRedis({ url: proxy.url })
  proxy.swallowsAnswers = true
  const appended = writer(redis).append(['a', 'b'], { cursor })
  await eventually(async () => expect(await direct.command(['XLEN', 's'])).toBe(2))
  proxy.swallowsAnswers = false
  proxy.cut()
  await appended
  expect(await direct.command(['XLEN', 's'])).toBe(2)
  expect(await direct.command(['GET', cursor.key])).toBe('2')
})

redisTest('an append is sent again after the connection was lost before it', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using redis = await connectRedis({ url: proxy.url })
  proxy.cut()
  await writer(redis).append(['a'])
  expect(await redis.command(['XLEN', 's'])).toBe(1)
})

redisTest('a writer whose check fails at the high water mark waits on (S14)', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using direct = await connectRedis({ url: redisUrl })
  const logger = createLogSpy()
  await using redis = await connectRedis({ url: proxy.url })
  const full = new StreamWriter({ redis, stream: 's', codec, highWaterMark: 1, checkMs: 5, logger })
  await full.append(['a'])
  const waiting = full.append(['b'])
  await eventually(() => expect(logger.messages('info')).toHaveLength(1))
  await eventually(() => {
    proxy.cut()
    expect(logger.messages('warn')).toContain('cannot read the length of the stream: waiting on')
  })
  expect(await direct.command(['XLEN', 's'])).toBe(1)
  await direct.command(['DEL', 's'])
  await waiting
  expect(await direct.command(['XLEN', 's'])).toBe(1)
})

redisTest('an append that waits for a lost Redis ends with the reason of the abort', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using redis = await connectRedis({ url: proxy.url })
  proxy.swallowsAnswers = true
  const controller = new AbortController()
  const reason = new Error('stopping')
  const waiting = writer(redis)
    .append(['a'], { signal: controller.signal })
    .catch((error: unknown) => error)
  controller.abort(reason)
  proxy.cut()
  expect(await waiting).toBe(reason)
})

test('bulk leaves the last part of the memory to others, and what fills it from elsewhere stops nobody (S14, S16)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  const live = new StreamWriter({ redis, stream: 'live', codec, checkMs: 5 })
  const bulk = new StreamWriter({ redis, stream: 'bulk', codec, checkMs: 5, bulk: true })
  await Promise.all([live.append(['a']), bulk.append(['a'])])
  const used = /used_memory:(\d+)/.exec((await redis.command(['INFO', 'memory'])) as string)![1]
  await redis.command(['CONFIG', 'SET', 'maxmemory', String(Math.round(Number(used) / 0.8))])
  let isWritten = false
  const waiting = bulk.append(['b']).then(() => (isWritten = true))
  await live.append(['b'])
  await new StreamWriter({ redis, stream: 'empty', codec, bulk: true }).append(['a'])
  await sleep(50)
  expect(isWritten).toBe(false)
  await redis.command(['CONFIG', 'SET', 'maxmemory', String(Number(used) * 2)])
  await waiting
  expect(await redis.command(['XLEN', 'bulk'])).toBe(2)
})

test('a full Redis is waited out, and takes nothing in part meanwhile (S12)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  const logger = createLogSpy()
  const waitingWriter = new StreamWriter({ redis, stream: 's', codec, logger })
  await redis.command(['CONFIG', 'SET', 'maxmemory', '1'])
  const waiting = waitingWriter.append(['a', 'b'], { cursor })
  await eventually(() => expect(logger.messages('warn')).toContain('cannot append to s now: trying again'))
  expect(await redis.command(['XLEN', 's'])).toBe(0)
  expect(await redis.command(['GET', cursor.key])).toBeNull()
  await redis.command(['CONFIG', 'SET', 'maxmemory', '0'])
  await waiting
  expect(await redis.command(['XLEN', 's'])).toBe(2)
})
