import { startRedis } from '@millrace/local-services'
import { describeStreamStore } from '@millrace/stream-protocol/testing'
import { afterAll } from 'vitest'
import { openRedisStreams } from './open-redis-streams.ts'

const redis = await startRedis()
afterAll(() => redis.close())

describeStreamStore('redis', () => openRedisStreams({ url: redis.url }))
