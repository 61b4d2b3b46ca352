export { ack } from './ack.ts'
export {
  connectRedis,
  redactRedisUrl,
  redisUrlFromHost,
  type ConnectRedisOptions,
  type RedisConnection,
} from './connect.ts'
export { RedisCursorStore } from './cursor-store.ts'
export { EvictingRedisError, isTransient, RedisAwayError, UnexpectedReplyError } from './errors.ts'
export { ensureGroup, removeIdleConsumers } from './groups.ts'
export { openRedisStreams, type OpenRedisStreamsOptions } from './open-redis-streams.ts'
export { StreamConsumer, type StreamConsumerOptions } from './stream-consumer.ts'
export { streamStatus } from './stream-status.ts'
export { StreamWriter, type StreamWriterOptions } from './stream-writer.ts'
