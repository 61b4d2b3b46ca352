import { CollectionFilter } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { BackfillQueue } from './backfill-queue.ts'
import { readOwedHosts, settleOwedHost, shareCollectionFilter } from './collection-setting.ts'
import { PostgresLedger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'
import { BY_COLLECTION, readListedCollections, shareRepos, takenRepos } from './repo-setting.ts'

const collections = new CollectionFilter(['xyz.statusphere.status'])
const [a, b, c] = ['did:plc:a', 'did:plc:b', 'did:plc:c']

/** @returns what has changed, who is to be fetched, and who owes everything. */
async function share(database: Database, ...dids: string[]): Promise<string> {
  const taken = dids[0] === '*' ? null : dids[0] === BY_COLLECTION ? BY_COLLECTION : new Set(dids)
  const shared = await shareRepos({ database, dids: taken, hosts: ['relay.test'] })
  const { rows } = await database.pool.query<{ did: string }>('delete from millrace_dirty returning did')
  const owed = await readOwedHosts(database)
  for (const host of owed) await settleOwedHost(database, host)
  const count = 'count' in shared ? ` ${shared.count}` : ''
  return [`${shared.change}${count}`, ...rows.map(({ did }) => did).toSorted(), ...owed].join(', ')
}

pgTest(
  'accounts that are listed are fetched, once, and those that are added later too (I25)',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    expect(await takenRepos(database, [a, b])).toEqual(new Set([a, b]))
    expect(await share(database, a, b)).toBe(`added 2, ${a}, ${b}`)
    expect(await share(database, a, b)).toBe('none')
    expect(await takenRepos(database, [a, b, c])).toEqual(new Set([a, b]))
    expect(await share(database, a)).toBe('none')
    // What was written to it meanwhile was passed over.
    expect(await share(database, a, b, c)).toBe(`added 2, ${b}, ${c}`)
  },
)

pgTest('once all are taken again, what was passed over is owed by their hosts (I25)', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  expect(await share(database, '*')).toBe('none')
  await share(database, a)
  expect(await share(database, '*')).toBe('others, relay.test')
  expect(await share(database, '*')).toBe('none')
  expect(await takenRepos(database, [a, c])).toEqual(new Set([a, c]))
})

pgTest('of repos that are whole nothing is missing when others are no longer taken', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await database.pool.query(`insert into millrace_repo (did, floor_rev) values ($1, '3k'), ($2, null)`, [a, b])
  expect(await share(database, a, b)).toBe(`added 1, ${b}`)
})

pgTest(
  'by collection those are taken that are known, or are to be fetched; others than before are owed (I25)',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    await shareCollectionFilter({ database, collections, hosts: [] })
    expect(await share(database, BY_COLLECTION)).toBe('none')
    expect(await share(database, BY_COLLECTION)).toBe('none')
    expect(await readListedCollections(database)).toEqual(collections.patterns)
    await new BackfillQueue(database).add([a, a])
    await new PostgresLedger({ database }).markDirty([
      { did: b, reason: 'unknown-repo' },
      { did: c, reason: 'too-big', ifKnown: true },
    ])
    expect(await takenRepos(database, [a, b, c])).toEqual(new Set([a, b]))
    // Of one that is known every mark counts, and of one that is not, if one of them does.
    await new PostgresLedger({ database }).markDirty([
      { did: a, reason: 'too-big', ifKnown: true },
      { did: c, reason: 'too-big', ifKnown: true, rev: '3kb' },
      { did: c, reason: 'bad-car', rev: '3ka' },
    ])
    expect(await share(database, '*')).toBe(`others, ${a}, ${b}, ${c}, relay.test`)
    expect(await readListedCollections(database)).toBe(null)
    await share(database, a)
    expect(await share(database, BY_COLLECTION)).toBe('others, relay.test')
  },
)
