import { silentLogger } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { openMigratedDatabase } from './open-database.ts'
import { sharedPacer } from './shared-pacer.ts'

pgTest('a host that has refused one process is left alone by all of its database (B5)', async ({ databaseUrl }) => {
  await using database = await openMigratedDatabase({ url: databaseUrl })
  const [one, other] = [
    sharedPacer({ database, logger: silentLogger }),
    sharedPacer({ database, logger: silentLogger }),
  ]
  const host = 'https://pds.example'
  const headers = new Headers({ 'retry-after': '60' })
  await one.answered(host, { askedAt: Date.now() }, { status: 429, headers })
  const busy = await other.take(host).catch((error: unknown) => error)
  expect(busy).toMatchObject({ name: 'HostBusyError', host })
  expect((busy as { waitMs: number }).waitMs).toBeGreaterThan(50_000)
})
