import path from 'node:path'
import { ConfigError } from './config-error.ts'
import { textOf, type ConfigOf, type Environment } from './config.ts'
import { redact } from './redact.ts'
import type { streamVariables } from './variables.ts'

/** The store that was chosen for the streams, and the reason for people to read. */
export type StreamsChoice =
  | {
      readonly kind: 'redis'
      readonly url: string
      readonly location: string
      readonly why: string
      readonly allowEviction?: boolean
      readonly highWaterBytes?: number
    }
  | {
      readonly kind: 'sqlite'
      readonly file: string
      readonly location: string
      readonly why: string
      readonly highWaterBytes?: number
    }

/** Values of `streamVariables`. */
export type StreamsConfig = ConfigOf<typeof streamVariables>

/**
 * Chooses the store: `MILLRACE_STREAMS`, else Redis if it is configured, else SQLite. Production has to say which.
 * A chosen store that is down is an error later on, never a reason to take the other.
 * @throws {ConfigError} when nothing is chosen in production, or Redis is chosen and its address is missing.
 */
export function chooseStreams(config: StreamsConfig, env: Environment): StreamsChoice {
  const redis = redisOf(config)
  const highWaterBytes = config.STREAM_HIGH_WATER_MB * 1024 ** 2
  const explicit = config.MILLRACE_STREAMS
  if (explicit === 'redis' && !redis) {
    throw new ConfigError(['MILLRACE_STREAMS is "redis", but neither REDIS_URL nor REDIS_HOST is set'])
  }
  if (redis && explicit !== 'sqlite') {
    const why = explicit ? `MILLRACE_STREAMS is redis, and ${redis.name} is set` : `${redis.name} is set`
    const allowEviction = config.REDIS_ALLOW_EVICTION
    const location = redact(redis.url)
    return { kind: 'redis', url: redis.url, location, why, highWaterBytes, ...(allowEviction && { allowEviction }) }
  }
  if (!explicit && textOf(env, 'NODE_ENV') === 'production') {
    throw new ConfigError([
      'no stream store is configured: with NODE_ENV=production set REDIS_URL or REDIS_HOST, or MILLRACE_STREAMS=sqlite to keep the streams in one file on this machine',
    ])
  }
  const file = path.resolve(config.MILLRACE_DATA_DIR, 'streams.sqlite')
  const why = explicit ? 'MILLRACE_STREAMS is sqlite' : 'neither REDIS_URL nor REDIS_HOST is set'
  return { kind: 'sqlite', file, location: file, why, highWaterBytes }
}

function redisOf(config: StreamsConfig): { name: string; url: string } | undefined {
  if (config.REDIS_URL !== undefined) return { name: 'REDIS_URL', url: config.REDIS_URL }
  const host = config.REDIS_HOST
  if (host === undefined) return undefined
  // Also `[::1]:6379`. Anything more (a password, a database) is what REDIS_URL is for.
  const url = `redis://${/(?:^[^:]+|\])$/.test(host) ? `${host}:6379` : host}`
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/.test(host) || !URL.canParse(url)) {
    throw new ConfigError([
      `REDIS_HOST is ${JSON.stringify(redact(host).slice(0, 80))}, expected host or host:port (use REDIS_URL for a URL, a password or TLS)`,
    ])
  }
  return { name: 'REDIS_HOST', url }
}
