import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { migrationStatus } from '@millrace/database'
import { createLogSpy, eventually, pgTest, redisTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { expect, test } from 'vitest'
import { openMigratedDatabase } from './open-database.ts'
import { openStreams } from './open-streams.ts'

redisTest('opens the store that was chosen, and says why', async ({ redisUrl }) => {
  const logger = createLogSpy()
  await using store = await openStreams(
    { kind: 'redis', url: redisUrl, location: redisUrl, why: 'REDIS_URL is set' },
    { logger },
  )
  await store.ping()
  expect(store.kind).toBe('redis')
  expect(logger.messages('info')).toContain('streams are in redis: REDIS_URL is set')
})

test('opens SQLite in a folder that is not there yet', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-stores-'))
  const file = path.join(folder, 'data', 'streams.sqlite')
  const store = await openStreams({ kind: 'sqlite', file, location: file, why: 'it is a test' })
  await store.ping()
  expect(store.kind).toBe('sqlite')
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('a Redis that is away is an error, and SQLite is not taken in its place', async () => {
  const url = 'redis://127.0.0.1:1'
  const opening = openStreams({ kind: 'redis', url, location: url, why: 'it is a test' }, { waitMs: 50 })
  await expect(opening).rejects.toThrow('cannot reach Redis at redis://127.0.0.1:1')
})

pgTest('waits for a database that is starting, and migrates it (M11)', async ({ databaseUrl }) => {
  const logger = createLogSpy()
  await using proxy = await FaultProxy.listen(databaseUrl)
  // Its port is taken from the start: of one that is free another program may be first.
  proxy.refuses = true
  const opening = openMigratedDatabase({ url: proxy.url, logger })
  await eventually(() => expect(logger.messages('warn')).toContain('the database does not answer yet'))
  proxy.refuses = false
  await using database = await opening
  expect(await migrationStatus(database)).toMatchObject({ appView: 'complete', pending: [] })
})

pgTest('does not wait for what will not change, and tells no password (M9)', async ({ databaseUrl }) => {
  const wrong = new URL(databaseUrl)
  wrong.pathname = '/absent'
  wrong.password = 'hunter2'
  const opening = openMigratedDatabase({ url: wrong.href })
  await expect(opening).rejects.toThrow('cannot open the database: database "absent" does not exist')
  await expect(opening).rejects.not.toThrow('hunter2')
})

test('gives up on a database that stays away, and stops when it is told to', async () => {
  const url = 'postgres://127.0.0.1:1/x'
  await expect(openMigratedDatabase({ url, waitMs: 10 })).rejects.toThrow('cannot open the database: connect ECONN')
  const stop = new AbortController()
  const opening = openMigratedDatabase({ url, signal: stop.signal })
  stop.abort(new Error('stopped'))
  await expect(opening).rejects.toThrow('stopped')
})
