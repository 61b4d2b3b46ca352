import { openDatabase } from '@millrace/database'
import type { Environment } from '@millrace/runtime'
import { createAppViewTables, pgTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { runCommand } from '../run-command.testing.ts'
import { runMigrate } from './run-migrate.ts'

const run = (env: Environment, dryRun = false) =>
  runCommand(env, (host) => runMigrate({ database: undefined, data: '/tmp/millrace-none', json: true, dryRun }, host))

interface Report {
  dryRun: boolean
  migrations: string[]
}

pgTest(
  'an empty database is told what it lacks, migrated, and then has nothing left to apply',
  async ({ databaseUrl }) => {
    const env = { DB_POSTGRES_URL: databaseUrl }
    const asked = await run(env, true)
    expect(asked.code).toBe(1)
    const { migrations } = JSON.parse(asked.stdout) as Report
    expect(migrations[0]).toBe('the AppView tables')
    expect(migrations.length).toBeGreaterThan(1)

    const done = await run(env)
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(done.stdout)).toMatchObject({ dryRun: false, migrations })

    const again = await run(env, true)
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout)).toMatchObject({ migrations: [] })
  },
)

pgTest('tables of a newer release are left alone (X23)', async ({ databaseUrl }) => {
  const env = { DB_POSTGRES_URL: databaseUrl }
  await run(env)
  await using database = await openDatabase({ url: databaseUrl })
  await database.pool.query(`insert into millrace_migration (name) values ('9999-of-tomorrow')`)
  for (const dryRun of [false, true]) {
    const refused = await run(env, dryRun)
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('9999-of-tomorrow')
  }
})

pgTest('tables of an AppView that is too old are refused, by a dry run as well', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await createAppViewTables(database.pool, database.schema)
  for (const dryRun of [true, false]) {
    const refused = await run({ DB_POSTGRES_URL: databaseUrl }, dryRun)
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('of an AppView that lacks 60 of its migrations')
  }
})

test('without a database the exit code says so', async () => {
  const { code, stderr } = await run({})
  expect(code).toBe(2)
  expect(stderr).toContain('DB_POSTGRES_URL is not set')
})
