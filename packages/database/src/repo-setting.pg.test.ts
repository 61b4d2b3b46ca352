import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { readOwedHosts, settleOwedHost } from './collection-setting.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'
import { shareRepos, takenRepos } from './repo-setting.ts'

const [a, b, c] = ['did:plc:a', 'did:plc:b', 'did:plc:c']

/** @returns what has changed, who is to be fetched, and who owes everything. */
async function share(database: Database, ...dids: string[]): Promise<string> {
  const shared = await shareRepos({ database, dids: dids[0] === '*' ? null : new Set(dids), hosts: ['relay.test'] })
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
  expect(await share(database, '*')).toBe('all, relay.test')
  expect(await share(database, '*')).toBe('none')
  expect(await takenRepos(database, [a, c])).toEqual(new Set([a, c]))
})

pgTest('of repos that are whole nothing is missing when others are no longer taken', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await database.pool.query(`insert into millrace_repo (did, floor_rev) values ($1, '3k'), ($2, null)`, [a, b])
  expect(await share(database, a, b)).toBe(`added 1, ${b}`)
})
