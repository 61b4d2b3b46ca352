import { Client } from 'pg'
import { createClient } from 'redis'
import { expect } from 'vitest'
import { pgTest, redisTest, serviceTest } from './fixtures.ts'

const databases = new Set<string>()
for (const attempt of ['first', 'second'])
  pgTest(`a database is empty and in UTF8 (${attempt})`, async ({ databaseUrl, signal }) => {
    expect(databases).not.toContain(databaseUrl)
    databases.add(databaseUrl)
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    try {
      const { rows } = await client.query(
        `select pg_encoding_to_char(encoding) as encoding, datcollate, (select count(*)::int from pg_tables where schemaname = 'public') as tables
         from pg_database where datname = current_database()`,
      )
      expect(rows).toEqual([{ encoding: 'UTF8', datcollate: 'C.UTF-8', tables: 0 }])
      await client.query('create table kept (id int)')
    } finally {
      await client.end()
    }
    expect(signal.aborted).toBe(false)
  })

let signalOfFirst: AbortSignal
redisTest('a Redis can be written', async ({ redisUrl, signal }) => {
  signalOfFirst = signal
  await using redis = await connect(redisUrl)
  await redis.client.set('kept', 'yes')
})
redisTest('the next test finds it empty, and the signal of the one before aborted', async ({ redisUrl }) => {
  await using redis = await connect(redisUrl)
  expect(await redis.client.dbSize()).toBe(0)
  expect(signalOfFirst.aborted).toBe(true)
})

serviceTest('a test may have both', async ({ redisUrl, databaseUrl, signal }) => {
  expect([redisUrl, databaseUrl, signal.aborted]).toEqual([
    expect.stringMatching(/^rediss?:/),
    expect.stringMatching(/^postgres(ql)?:/),
    false,
  ])
})

async function connect(url: string) {
  const client = createClient({ url })
  // Failures come out of the commands; without a listener they would be thrown a second time, in whatever runs then.
  client.on('error', () => undefined)
  await client.connect()
  return { client, [Symbol.asyncDispose]: () => client.close() }
}
