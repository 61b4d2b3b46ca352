// By relative path: this file is loaded before the source condition is known.
import { findRedis, startPostgres } from '../../local-services/src/index.ts'
import type { TestProject } from 'vitest/node'
import './provided.ts'

/**
 * One Postgres for the whole run, where each test gets a database, and a Redis program, of which each worker starts its
 * own. TEST_POSTGRES_URL and TEST_REDIS_URL name servers to use instead.
 */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const postgresUrl = process.env['TEST_POSTGRES_URL']
  const redisUrl = process.env['TEST_REDIS_URL']
  const onProgress = (text: string) => void process.stderr.write(`${text}\n`)
  const [postgres, redis] = await Promise.allSettled([
    postgresUrl ? { url: postgresUrl, close: async () => undefined } : startPostgres({ onProgress }),
    redisUrl ? undefined : findRedis({ onProgress }),
  ])
  if (postgres.status === 'rejected') throw postgres.reason
  if (redis.status === 'rejected') {
    // A server left running would keep the run from ending.
    await postgres.value.close()
    throw redis.reason
  }
  provide('postgresUrl', postgres.value.url)
  provide('sharedRedisUrl', redisUrl ?? '')
  return () => postgres.value.close()
}
