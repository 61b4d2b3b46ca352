import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startRedis } from '@millrace/local-services'
import { sleep } from '@millrace/stream-protocol'
import { BatchReader } from '@millrace/stream-protocol/testing'
import { createLogSpy, eventually, redisTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { expect, onTestFinished, test } from 'vitest'
import { ack } from './ack.ts'
import { connectRedis, type RedisConnection } from './connect.ts'
import { ensureGroup, removeIdleConsumers } from './groups.ts'
import { keepClaims } from './keep-claims.ts'
import { StreamConsumer, type StreamConsumerOptions } from './stream-consumer.ts'
import { StreamWriter } from './stream-writer.ts'
import { countUnaccounted } from './unaccounted.ts'

const codec = { field: 'event', encode: (text: string) => text, decode: (text: string) => text }
const CLAIM_IDLE_MS = 10
const writer = (redis: RedisConnection) => new StreamWriter({ redis, stream: 's', codec })

function consumer(redis: RedisConnection, options: Partial<StreamConsumerOptions<string>> = {}) {
  return new StreamConsumer({ redis, stream: 's', group: 'g', consumer: 'one', codec, ...options })
}
function reader(redis: RedisConnection, options: Partial<StreamConsumerOptions<string>> = {}): BatchReader<string> {
  return new BatchReader(consumer(redis, options))
}

/**
 * Resolves once entries that others have in hand are idle for long enough to be claimed, all of them: else they might
 * become so one by one while somebody looks.
 */
async function untilClaimable(redis: RedisConnection, count: number): Promise<void> {
  const command = ['XPENDING', 's', 'g', 'IDLE', String(2 * CLAIM_IDLE_MS), '-', '+', '100']
  await eventually(async () => expect(await redis.command(command)).toHaveLength(count))
}

redisTest('entries of a reply that never came are found by the same run (S5)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await using run = reader(redis, { claimIdleMs: 50, blockMs: 10 })
  await writer(redis).append(['a'])
  expect(await run.events(1)).toEqual(['a'])
  await redis.command(['XADD', 's', '*', 'event', 'b'])
  // Somebody of our name has read it: as when the connection breaks after the server has answered.
  await redis.command(['XREADGROUP', 'GROUP', 'g', 'one', 'STREAMS', 's', '>'])
  await writer(redis).append(['c'])
  expect((await run.events(2)).toSorted()).toEqual(['b', 'c'])
})

redisTest('a read whose reply was lost is made good after the connection is back (S5)', async ({ redisUrl }) => {
  await using proxy = await FaultProxy.listen(redisUrl)
  await using direct = await connectRedis({ url: redisUrl })
  await using redis = await connectRedis({ url: proxy.url })
  await ensureGroup(direct, 's', 'g')
  await using run = reader(redis, { claimIdleMs: 3_600_000, blockMs: 10_000 })
  const received = run.events(1)
  await eventually(async () => expect(await direct.command(['CLIENT', 'LIST'])).toContain('cmd=xreadgroup'))
  proxy.swallowsAnswers = true
  await writer(direct).append(['a'])
  await eventually(async () =>
    expect(await direct.command(['XPENDING', 's', 'g'])).toEqual([
      1,
      expect.anything(),
      expect.anything(),
      [['one', '1']],
    ]),
  )
  proxy.swallowsAnswers = false
  proxy.cut()
  expect(await received).toEqual(['a'])
})

redisTest('entries deleted while pending are reported as lost (S10)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await writer(redis).append(['a', 'b', 'c', 'd'])
  const before = reader(redis, { batchSize: 2 })
  const ids = (await before.take(4)).flatMap(({ entries }) => entries.map(({ id }) => id))
  await before.stop()
  const [a = '', b = '', c = '', d = ''] = ids
  await redis.command(['XDEL', 's', a])

  await using again = reader(redis, { batchSize: 2 })
  const own = await again.next()
  expect(own.rejected).toMatchObject([{ id: a, raw: null, error: { reason: 'gone' } }])
  expect(own.entries).toEqual([{ id: b, event: 'b' }])
  await own.ack()

  await redis.command(['XDEL', 's', c])
  const logger = createLogSpy()
  await untilClaimable(redis, 2)
  await using heir = reader(redis, { consumer: 'heir', claimIdleMs: CLAIM_IDLE_MS, blockMs: 10, logger })
  const claimed = await heir.next()
  expect(claimed.rejected).toMatchObject([{ id: c, raw: null, error: { reason: 'gone' } }])
  await claimed.ack()
  const rest = await heir.next()
  expect([rest.rejected, rest.entries]).toEqual([[], [{ id: d, event: 'd' }]])
  await rest.ack()
  expect(logger.messages('error')).toEqual(['pending entries are gone'])
  expect(await redis.command(['XPENDING', 's', 'g'])).toEqual([0, null, null, null])
})

redisTest('a crash before the loss of trimmed entries is recorded does not hide it (S10, G3)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await writer(redis).append(['a', 'b', 'c'])
  const dead = reader(redis, { consumer: 'dead' })
  await dead.take(1)
  await dead.stop()
  await redis.command(['XTRIM', 's', 'MAXLEN', '1'])
  await untilClaimable(redis, 3)
  const heir = reader(redis, { consumer: 'heir', claimIdleMs: CLAIM_IDLE_MS, blockMs: 10 })
  expect((await heir.next()).rejected).toHaveLength(2)
  await heir.stop()

  await using next = reader(redis, { consumer: 'next', claimIdleMs: CLAIM_IDLE_MS, blockMs: 10 })
  const ghosts = await next.next()
  expect(ghosts.rejected).toMatchObject([{ error: { reason: 'gone' } }, { error: { reason: 'gone' } }])
  await ghosts.ack()
  expect(await next.events(1)).toEqual(['c'])
})

test('entries trimmed before they were read are reported as lost, until it is recorded, also when full (S11)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  await ensureGroup(redis, 's', 'g')
  const options = { batchSize: 2, claimIdleMs: 10, blockMs: 5 }
  const first = reader(redis, options)
  await writer(redis).append(['a', 'b', 'c', 'd', 'e', 'f'])
  const [batch] = await first.take(1)
  await batch!.ack(batch!.entries.slice(0, 1).map(({ id }) => id))
  await first.stop()
  // Of b, pending, and c to f, unread, only e and f are left: one ghost, and two that nobody saw.
  await redis.command(['XTRIM', 's', 'MAXLEN', '2'])
  await redis.command(['CONFIG', 'SET', 'maxmemory', '1'])

  const logger = createLogSpy()
  await using run = reader(redis, { ...options, logger })
  const ghost = await run.next()
  expect(ghost.rejected).toMatchObject([{ error: { reason: 'gone' } }])
  await ghost.ack()
  const lost = await run.next()
  expect(lost.rejected).toMatchObject([{ raw: null, error: { reason: 'gone' } }])
  expect(logger.entries.at(-1)).toMatchObject({ fields: { count: 2 } })
  expect(await countUnaccounted(redis, { stream: 's', group: 'g' })).toBe(2)
  await lost.ack()
  await lost.ack()
  expect(await countUnaccounted(redis, { stream: 's', group: 'g' })).toBe(0)
  const rest = await run.next()
  expect(rest.entries.map(({ event }) => event)).toEqual(['e', 'f'])
  await rest.ack()
  expect(await countUnaccounted(redis, { stream: 's', group: 'g' })).toBe(0)
})

redisTest('a stream that is read and acked in any order has nothing unaccounted for (S11)', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  const unaccounted = () => countUnaccounted(redis, { stream: 's', group: 'g' })
  expect(await unaccounted()).toBe(0)
  await writer(redis).append(['a', 'b', 'c', 'd', 'e'])
  await using run = reader(redis, { batchSize: 2 })
  const [ab, cd] = await run.take(4)
  expect(await unaccounted()).toBe(0)
  await cd!.ack()
  expect(await unaccounted()).toBe(0)
  const [e] = await run.take(1)
  await e!.ack()
  await ab!.ack()
  expect(await unaccounted()).toBe(0)
  await writer(redis).append(['f'])
  expect(await unaccounted()).toBe(0)
  expect(await run.events(1)).toEqual(['f'])
  expect(await unaccounted()).toBe(0)
})

test('what was acked before Redis rewrote its AOF and came back is not taken for lost, and a loss still is (S11)', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-redis-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const unaccounted = (redis: RedisConnection) => countUnaccounted(redis, { stream: 's', group: 'g' })
  const readAndAck = async (redis: RedisConnection) => {
    await writer(redis).append(['a', 'b', 'c', 'd'])
    await using run = reader(redis)
    const [batch] = await run.take(4)
    await batch!.ack()
  }
  {
    await using server = await startRedis({ folder })
    await using redis = await connectRedis({ url: server.url })
    await readAndAck(redis)
    await redis.command(['BGREWRITEAOF'])
    await eventually(async () =>
      expect(await redis.command(['INFO', 'persistence'])).toMatch(
        /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0[^]*aof_rewrites:1/,
      ),
    )
    await readAndAck(redis)
    expect(await unaccounted(redis)).toBe(0)
  }
  await using server = await startRedis({ folder })
  await using redis = await connectRedis({ url: server.url })
  expect(await redis.command(['XLEN', 's'])).toBe(0)
  expect(await unaccounted(redis)).toBe(0)
  await writer(redis).append(['e', 'f', 'g'])
  await redis.command(['XTRIM', 's', 'MAXLEN', '1'])
  expect(await unaccounted(redis)).toBe(2)
})

redisTest(
  'entries that consumers of another maker ack and delete are not taken for lost (S11)',
  async ({ redisUrl }) => {
    await using redis = await connectRedis({ url: redisUrl })
    await using run = reader(redis, { batchSize: 1 })
    await writer(redis).append(['a'])
    const [a] = await run.take(1)
    await a!.ack()
    await run.stop()
    await writer(redis).append(['b'])
    const reply = await redis.command(['XREADGROUP', 'GROUP', 'g', 'theirs', 'STREAMS', 's', '>'])
    const [[, [[id]]]] = reply as [[string, [[string]]]]
    await redis.command(['XACK', 's', 'g', id])
    await redis.command(['XDEL', 's', id])
    expect(await countUnaccounted(redis, { stream: 's', group: 'g' })).toBe(0)
  },
)

redisTest('a key of another type ends the run with its error', async ({ redisUrl, signal }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await redis.command(['SET', 's', 'text'])
  await expect(consumer(redis).batches(signal).next()).rejects.toThrow('WRONGTYPE')
})

redisTest('entries outlive an ack in a group that Redis does not know any more', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  await writer(redis).append(['a'])
  await ensureGroup(redis, 's', 'other')
  await using run = reader(redis)
  const batch = await run.next()
  await redis.command(['XGROUP', 'DESTROY', 's', 'g'])
  await batch.ack()
  expect(await redis.command(['XLEN', 's'])).toBe(1)
})

redisTest('thousands of entries are acked at once, also beside a second group', async ({ redisUrl }) => {
  await using redis = await connectRedis({ url: redisUrl })
  const texts = Array.from({ length: 10_000 }, (_, i) => String(i))
  await writer(redis).append(texts)
  const ids = (await redis.command(['XRANGE', 's', '-', '+'])) as [string, unknown][]
  for (const group of ['g', 'h']) {
    await ensureGroup(redis, 's', group)
    await redis.command(['XREADGROUP', 'GROUP', group, 'c', 'COUNT', '20000', 'STREAMS', 's', '>'])
  }
  const all = ids.map(([id]) => id)
  expect(await ack(redis, { stream: 's', group: 'g', ids: all })).toBe(10_000)
  expect(await redis.command(['XLEN', 's'])).toBe(10_000)
  expect(await ack(redis, { stream: 's', group: 'h', ids: all })).toBe(10_000)
  expect(await redis.command(['XLEN', 's'])).toBe(0)
  expect(await ack(redis, { stream: 's', group: 'h', ids: all })).toBe(0)
})

test('a full Redis is drained: reading, claiming, acking and forgetting work at maxmemory (S1, S2)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  await writer(redis).append(['a', 'b', 'c'])
  const dead = reader(redis, { consumer: 'dead', batchSize: 1 })
  await dead.take(1)
  await redis.command(['XGROUP', 'CREATECONSUMER', 's', 'g', 'idle'])
  await dead.stop()
  await redis.command(['SCRIPT', 'FLUSH'])
  await redis.command(['CONFIG', 'SET', 'maxmemory', '1'])
  await expect(redis.command(['XADD', 's', '*', 'event', 'd'])).rejects.toThrow('OOM')
  // Such an ack would not do: this is why it is a script.
  await redis.command(['MULTI'])
  await expect(redis.command(['XACK', 's', 'g', '0-1'])).rejects.toThrow('OOM')
  await redis.command(['DISCARD'])
  expect(await removeIdleConsumers(redis, { stream: 's', group: 'g', idleMs: 0 })).toEqual(['idle'])

  await using run = reader(redis, { claimIdleMs: 20, blockMs: 10 })
  const batches = await run.take(3)
  expect(batches.flatMap(({ entries }) => entries.map(({ event }) => event)).toSorted()).toEqual(['a', 'b', 'c'])
  for (const batch of batches) await batch.ack()
  expect(await redis.command(['XLEN', 's'])).toBe(0)
})

test('who keeps its claims hides nothing that is gone, counts no delivery, and does so at maxmemory (S2, S6, S10)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  await writer(redis).append(['a', 'b'])
  const busy = reader(redis)
  const [batch] = await busy.take(2)
  await busy.stop()
  await redis.command(['XDEL', 's', batch!.entries[0]!.id])
  await redis.command(['CONFIG', 'SET', 'maxmemory', '1'])
  await sleep(50)
  await keepClaims(redis, { stream: 's', group: 'g', consumer: 'one' })
  const [gone, kept] = (await redis.command(['XPENDING', 's', 'g', '-', '+', '10'])) as [
    string,
    string,
    number,
    number,
  ][]
  expect([gone![3], kept![3]]).toEqual([1, 1])
  expect(gone![2] - kept![2]).toBeGreaterThanOrEqual(40)
})

test.for(['FLUSHALL', 'DEL s', 'XGROUP DESTROY s g'])(
  'a waiting reader survives %s, and starts at the first entry (S4)',
  async (command) => {
    await using server = await startRedis()
    await using redis = await connectRedis({ url: server.url })
    const logger = createLogSpy()
    await using run = reader(redis, { logger, blockMs: 200 })
    const received = run.events(1)
    await eventually(async () => expect(await redis.command(['CLIENT', 'LIST'])).toContain('cmd=xreadgroup'))
    await redis.command(command.split(' '))
    await eventually(() =>
      expect(logger.messages('warn').filter((message) => message.startsWith('consumer group was absent'))).toHaveLength(
        2,
      ),
    )
    await writer(redis).append(['a'])
    expect(await received).toEqual(['a'])
    // It starts over once, not in a circle.
    expect(logger.messages('warn').length).toBeLessThan(6)
  },
)

test('connections killed again and again lose nothing and add nothing (S5, I1)', async () => {
  await using server = await startRedis()
  await using redis = await connectRedis({ url: server.url })
  await using killer = await connectRedis({ url: server.url })
  const total = 60
  const seen = new Set<string>()
  const controller = new AbortController()
  const reading = (async () => {
    for await (const batch of consumer(redis, { batchSize: 3 }).batches(controller.signal)) {
      for (const { event } of batch.entries) seen.add(event)
      await batch.ack()
      if (seen.size === total * 2) controller.abort()
    }
  })()
  for (let i = 0; i < total; i++) {
    const append = writer(redis).append([`${i}a`, `${i}b`], {
      cursor: { key: 's:cursor:h', from: i === 0 ? null : String(i - 1), to: String(i) },
    })
    if (i % 10 === 5) await killer.command(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await append
  }
  await reading
  const info = (await killer.command(['XINFO', 'STREAM', 's'])) as (string | number)[]
  expect(info[info.indexOf('entries-added') + 1]).toBe(total * 2)
  await eventually(async () => expect(await killer.command(['XLEN', 's'])).toBe(0))
})

test('a restart of Redis is waited out by writers and readers', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-redis-'))
  try {
    const server = await startRedis({ folder })
    const { url } = server
    await using redis = await connectRedis({ url })
    await writer(redis).append(['a'])
    await using run = reader(redis)
    const first = await run.next()
    await server.close()

    const acked = first.ack()
    const appended = writer(redis).append(['b'])
    const received = run.events(1)
    await using restarted = await startRedis({ folder, port: Number(new URL(url).port) })
    await Promise.all([acked, appended])
    expect(await received).toEqual(['b'])
    expect(restarted.url).toBe(url)
    expect(await redis.command(['XLEN', 's'])).toBe(1)
  } finally {
    await rm(folder, { recursive: true })
  }
})
