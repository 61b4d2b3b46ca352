import { startRedis } from '@millrace/local-services'
import { inject, test } from 'vitest'
import { createDatabase } from './postgres-database.ts'
import './provided.ts'
import { emptyRedis } from './redis-database.ts'

const withServices = test
  .extend('servers', { scope: 'worker' }, () => ({
    postgresUrl: inject('postgresUrl'),
    sharedRedisUrl: inject('sharedRedisUrl'),
  }))
  // Not asked for, not started. Each worker has its own, so that files running side by side do not meet.
  .extend('redisServerUrl', { scope: 'worker' }, async ({ servers }, { onCleanup }) => {
    if (servers.sharedRedisUrl) return databaseOfWorker(servers.sharedRedisUrl)
    const redis = await startRedis()
    onCleanup(() => redis.close())
    return redis.url
  })
  .extend('redisUrl', async ({ redisServerUrl }) => {
    await emptyRedis(redisServerUrl)
    return redisServerUrl
  })
  .extend('databaseUrl', async ({ servers }, { onCleanup }) => {
    const database = await createDatabase(servers.postgresUrl)
    onCleanup(() => database.drop())
    return database.url
  })

// `signal` asks for the services first: what is made last goes first, so work in the background is told to stop
// before its Redis or its database goes.

/** A test with a real Redis, empty at its start, and a signal that is aborted at its end. */
export const redisTest = withServices.extend('signal', async ({ redisUrl }, { onCleanup }) =>
  abortedAtEnd(onCleanup, redisUrl),
)

/** A test with an empty Postgres database of its own (UTF8, C.UTF-8), and a signal that is aborted at its end. */
export const pgTest = withServices.extend('signal', async ({ databaseUrl }, { onCleanup }) =>
  abortedAtEnd(onCleanup, databaseUrl),
)

/** A test with both: `redisUrl`, `databaseUrl` and `signal`. */
export const serviceTest = withServices.extend('signal', async ({ redisUrl, databaseUrl }, { onCleanup }) =>
  abortedAtEnd(onCleanup, redisUrl, databaseUrl),
)

function abortedAtEnd(onCleanup: (cleanup: () => void) => void, ..._services: string[]): AbortSignal {
  const controller = new AbortController()
  onCleanup(() => controller.abort(new Error('the test is over')))
  return controller.signal
}

/** Logical databases are all that a shared server has to keep workers apart. */
function databaseOfWorker(sharedRedisUrl: string): string {
  const url = new URL(sharedRedisUrl)
  url.pathname = `/${process.env['VITEST_POOL_ID'] ?? 0}`
  return url.href
}
