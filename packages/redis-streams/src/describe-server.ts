import type { StoreDescription } from '@millrace/stream-protocol'
import type { RedisConnection } from './connect.ts'
import { asList, asText } from './replies.ts'

/** What INFO says, by name. */
export async function readInfo(redis: RedisConnection): Promise<(name: string) => string | undefined> {
  const info = asText(await redis.command(['INFO']), 'INFO')
  return (name) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}

export async function describeServer(redis: RedisConnection): Promise<StoreDescription> {
  const [info, time] = await Promise.all([readInfo(redis), redis.command(['TIME'])])
  const [seconds, micros] = asList(time, 'TIME').map((part) => Number(asText(part, 'TIME')))
  const policy = info('maxmemory_policy')
  const maxBytes = Number(info('maxmemory') ?? 0)
  return {
    version: `Redis ${info('redis_version') ?? 'unknown'}`,
    now: seconds! * 1_000 + Math.floor(micros! / 1_000),
    memory: {
      usedBytes: Number(info('used_memory') ?? 0),
      maxBytes: maxBytes > 0 ? maxBytes : null,
      ...(policy !== undefined && { policy }),
    },
    durability: {
      isLogged: info('aof_enabled') === '1',
      isSaving:
        info('rdb_last_bgsave_status') !== 'err' &&
        info('aof_last_write_status') !== 'err' &&
        info('aof_last_bgrewrite_status') !== 'err',
    },
  }
}
