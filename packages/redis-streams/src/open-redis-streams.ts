import {
  DEFAULT_HIGH_WATER_BYTES,
  noMeter,
  silentLogger,
  type BatchSource,
  type ConsumerOptions,
  type CursorStore,
  type EventSink,
  type Logger,
  type Meter,
  type PendingEntry,
  type StoreDescription,
  type StoredFields,
  type StreamStatus,
  type StreamStore,
  type WriterOptions,
} from '@millrace/stream-protocol'
import { connectRedis, type RedisConnection } from './connect.ts'
import { RedisCursorStore } from './cursor-store.ts'
import { describeServer, readInfo } from './describe-server.ts'
import { EvictingRedisError, RedisAwayError, UnexpectedReplyError } from './errors.ts'
import { ensureGroup, removeIdleConsumers } from './groups.ts'
import { readEntries, readPending } from './read-entries.ts'
import { StreamConsumer } from './stream-consumer.ts'
import { streamStatus } from './stream-status.ts'
import { StreamWriter } from './stream-writer.ts'

export interface OpenRedisStreamsOptions {
  /** `redis://…` or `rediss://…`. */
  url: string
  logger?: Logger
  meter?: Meter
  /** How long the first connection may take, in milliseconds. @default 30_000 */
  waitMs?: number
  /** Takes a Redis that evicts keys when its memory is full, with a warning: streams may vanish. @default false */
  allowEviction?: boolean
  /** Of writers that do not name their own. @default 1 GiB */
  highWaterBytes?: number
  /** Ends the wait for the first connection. */
  signal?: AbortSignal
  /**
   * Opens also when Redis is away for all of `waitMs`: what the store is asked fails with a `RedisAwayError` until it is
   * there, and its version and policy are not looked at. @default false
   */
  mayBeAway?: boolean
}

/**
 * Streams in Redis 7.0 or newer.
 * @throws {RedisAwayError} when Redis cannot be reached, unless it may be away.
 * @throws {EvictingRedisError} when it would throw streams away: `maxmemory` is set, and its policy is not `noeviction`.
 */
export async function openRedisStreams({
  logger = silentLogger,
  meter = noMeter,
  allowEviction = false,
  highWaterBytes = DEFAULT_HIGH_WATER_BYTES,
  ...options
}: OpenRedisStreamsOptions): Promise<StreamStore> {
  const redis = await connectRedis({ ...options, logger })
  try {
    await checkServer(redis, { logger, allowEviction })
  } catch (error) {
    if (options.mayBeAway === true && error instanceof RedisAwayError)
      return new RedisStreamStore(redis, { logger, meter, highWaterBytes })
    await redis.close()
    throw error
  }
  return new RedisStreamStore(redis, { logger, meter, highWaterBytes })
}

class RedisStreamStore implements StreamStore {
  readonly kind = 'redis'
  readonly location: string
  readonly cursors: CursorStore
  readonly #redis: RedisConnection
  readonly #logger: Logger
  readonly #meter: Meter
  readonly #highWaterBytes: number

  constructor(
    redis: RedisConnection,
    { logger, meter, highWaterBytes }: { logger: Logger; meter: Meter; highWaterBytes: number },
  ) {
    this.location = redis.location
    this.cursors = new RedisCursorStore({ redis })
    this.#redis = redis
    this.#logger = logger
    this.#meter = meter
    this.#highWaterBytes = highWaterBytes
  }

  writer<T>(options: WriterOptions<T>): EventSink<T> {
    return new StreamWriter({
      highWaterBytes: this.#highWaterBytes,
      ...options,
      redis: this.#redis,
      logger: this.#logger,
      meter: this.#meter,
    })
  }

  consumer<T>(options: ConsumerOptions<T>): BatchSource<T> {
    return new StreamConsumer({ ...options, redis: this.#redis, logger: this.#logger, meter: this.#meter })
  }

  async ensureGroup(stream: string, group: string): Promise<void> {
    await ensureGroup(this.#redis, stream, group)
  }

  async removeIdleConsumers(stream: string, group: string, idleMs: number): Promise<string[]> {
    return await removeIdleConsumers(this.#redis, { stream, group, idleMs })
  }

  async status(streams: readonly string[]): Promise<StreamStatus[]> {
    return await Promise.all(streams.map((stream) => streamStatus(this.#redis, stream)))
  }

  async read(stream: string, options: { after: string; limit: number }): Promise<StoredFields[]> {
    return await readEntries(this.#redis, { stream, ...options })
  }

  async pending(stream: string, group: string, options: { after: string; limit: number }): Promise<PendingEntry[]> {
    return await readPending(this.#redis, { stream, group, ...options })
  }

  async describe(): Promise<StoreDescription> {
    return await describeServer(this.#redis)
  }

  async ping(): Promise<void> {
    await this.#redis.command(['PING'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#redis.close()
  }
}

/** Looks at what would lose data later: an old version, or a policy under which Redis throws streams away. */
async function checkServer(
  redis: RedisConnection,
  { logger, allowEviction }: { logger: Logger; allowEviction: boolean },
): Promise<void> {
  const field = await readInfo(redis)
  const version = field('redis_version')
  if (version === undefined || Number.parseInt(version) < 7)
    throw new UnexpectedReplyError(`Redis at ${redis.location} has version ${version ?? 'unknown'}: 7.0 is needed`)
  const policy = field('maxmemory_policy')
  if (policy === 'noeviction') return
  // Without a limit nothing is evicted yet, and a policy that Redis does not tell may be the right one.
  if (policy !== undefined && Number(field('maxmemory') ?? 0) > 0 && !allowEviction)
    throw new EvictingRedisError(
      `Redis at ${redis.location} has maxmemory-policy ${policy}: when its memory is full it deletes streams and cursors; set it to noeviction`,
    )
  logger.warn(
    { component: 'redis', redis: redis.location, policy: policy ?? 'unknown' },
    'maxmemory-policy is not noeviction: when its memory is full, this Redis deletes streams and cursors (S3)',
  )
}
