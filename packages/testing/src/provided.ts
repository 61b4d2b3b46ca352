import 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of a database where others may be created. */
    postgresUrl: string
    /** TEST_REDIS_URL; empty when each worker starts a Redis of its own. */
    sharedRedisUrl: string
  }
}
