import { migrate, migrationStatus, openDatabase } from '@millrace/database'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { AppView } from './appview.ts'

// Nothing is asked, so nobody is looked up.
const network = { plcUrl: 'http://127.0.0.1:1', handleResolverUrl: 'http://127.0.0.1:1' }

pgTest(
  'the AppView may have migrated the database: ours are added, and it starts again with nothing to do',
  { timeout: 120_000 },
  async ({ databaseUrl }) => {
    {
      await using appView = await AppView.start({ databaseUrl, network })
      expect(appView.migrations).toBe(61)
    }
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    expect(await migrationStatus(database)).toEqual({ appView: 'complete', missing: [], pending: [], unknown: [] })
    await using again = await AppView.start({ databaseUrl, network })
    expect(again.migrations).toBe(0)
  },
)

pgTest('it finds nothing to migrate where we were first', { timeout: 120_000 }, async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await using appView = await AppView.start({ databaseUrl, network })
  expect(appView.migrations).toBe(0)
  const health = await fetch(`${appView.url}/xrpc/_health`)
  expect([health.status, await health.json()]).toEqual([200, { version: 'unknown' }])
})
