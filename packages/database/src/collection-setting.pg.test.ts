import { CollectionFilter } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { readCollectionFilter, readOwedHosts, settleOwedHost, shareCollectionFilter } from './collection-setting.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

async function share(database: Database, ...patterns: string[]): Promise<string> {
  const collections = new CollectionFilter(patterns)
  const { change } = await shareCollectionFilter({ database, collections, hosts: ['relay.test'] })
  expect(String(await readCollectionFilter(database))).toBe(String(collections))
  return `${change}, owed by ${(await readOwedHosts(database)).join(' and ') || 'nobody'}`
}

pgTest('a filter of a new database leaves nothing missing', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  expect(String(await readCollectionFilter(database))).toBe('*')
  expect(await share(database, 'app.bsky.*')).toBe('none, owed by nobody')
  expect(await share(database, 'app.bsky.*')).toBe('none, owed by nobody')
})

pgTest(
  'one that is made wider leaves the past of what was left out missing, until that is planned (I25)',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    await share(database, 'app.bsky.*')
    expect(await share(database, 'app.bsky.*', 'xyz.statusphere.*')).toBe('wider, owed by relay.test')
    // The process that found it out ends, and the next one finds nothing new.
    expect(await share(database, 'app.bsky.*', 'xyz.statusphere.*')).toBe('none, owed by relay.test')
    await settleOwedHost(database, 'relay.test')
    expect(await readOwedHosts(database)).toEqual([])
  },
)

pgTest('one that is made narrower owes nothing, and one that is made other does', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await share(database, '*')
  expect(await share(database, 'app.bsky.*')).toBe('narrower, owed by nobody')
  expect(await share(database, 'xyz.statusphere.*')).toBe('wider, owed by relay.test')
})

pgTest('before there was one, everything was taken', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await database.pool.query(`insert into millrace_repo (did) values ('did:plc:a')`)
  expect(await share(database, 'app.bsky.*')).toBe('narrower, owed by nobody')
})
