import {
  appViewMigrationNames,
  createAppViewTables,
  createLogSpy,
  pgTest,
  recordAppViewMigrations,
} from '@millrace/testing'
import { describe, expect } from 'vitest'
import { classifyError } from './classify-error.ts'
import { MigrationError, SchemaError } from './errors.ts'
import { assertMigrated, migrate, migrationStatus } from './migrate.ts'
import { appViewMigrations, newestNeededMigration } from './migrations/appview-migrations.ts'
import { migrations } from './migrations/index.ts'
import { openDatabase, type Database } from './open-database.ts'

/** The log of a first migration. */
const ours = migrations.map(({ name }) => name)
const whatIsDone = ['created the AppView tables', ...migrations.map(() => 'applied a migration')]

describe('an empty database', () => {
  pgTest('gets the schema that the AppView would make', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    await createAppViewTables(database.pool, 'appview')

    const ours = await describeSchema(database, 'bsky')
    const theirs = await describeSchema(database, 'appview')
    expect(theirs['columns']?.length).toBeGreaterThan(300)
    expect(ours).toEqual(theirs)
  })

  pgTest('has the history that the AppView would have written, in its order', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)

    const { rows } = await database.pool.query('select name from kysely_migration order by timestamp, name')
    expect(rows.map((row: { name: string }) => row.name)).toEqual(appViewMigrationNames())
    const lock = await database.pool.query('select * from kysely_migration_lock')
    expect(lock.rows).toEqual([{ id: 'migration_lock', is_locked: 0 }])
  })

  pgTest('has the parameters and an empty ranking', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)

    const parameters = await database.pool.query('select name, value from view_param order by name')
    expect(parameters.rows).toEqual([
      { name: 'whats_hot_interval', value: '1day' },
      { name: 'whats_hot_like_threshold', value: '2' },
    ])
    const ranking = await database.pool.query('select * from algo_whats_hot_view')
    expect(ranking.rows).toEqual([])
  })

  pgTest('may have its schema and the tables of a migrator that has just started', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await database.pool.query(`
      create schema bsky;
      create table bsky.kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null);
      create table bsky.kysely_migration_lock (id varchar(255) primary key, is_locked integer not null default 0);
      insert into bsky.kysely_migration_lock values ('migration_lock', 0)`)
    await migrate(database)
    expect(await migrationStatus(database)).toEqual(upToDate)
  })

  pgTest('can hold several schemas', async ({ databaseUrl }) => {
    await using one = await openDatabase({ url: databaseUrl, schema: 'one' })
    await using two = await openDatabase({ url: databaseUrl, schema: 'two' })
    await Promise.all([migrate(one), migrate(two)])
    expect(await describeSchema(one, 'one')).toEqual(await describeSchema(two, 'two'))
  })
})

describe('a database that was migrated', () => {
  pgTest('is left as it is', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const logger = createLogSpy()
    await migrate(database, { logger })
    expect(logger.messages('info')).toEqual(whatIsDone)

    const before = await historyOf(database)
    await migrate(database, { logger })
    expect(await historyOf(database)).toEqual(before)
    expect(logger.messages('info')).toEqual(whatIsDone)
  })

  pgTest('is migrated once by processes that start together', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const logger = createLogSpy()
    await Promise.all([1, 2, 3, 4].map(() => migrate(database, { logger })))
    expect(logger.messages('info')).toEqual(whatIsDone)
    expect(await migrationStatus(database)).toEqual(upToDate)
  })

  pgTest('is refused when a newer release has been there (X23)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    await database.pool.query(`insert into millrace_migration (name) values ('9999-from-the-future')`)

    await expect(migrate(database)).rejects.toThrow(SchemaError)
    await expect(migrate(database)).rejects.toThrow('9999-from-the-future')
    await expect(assertMigrated(database)).rejects.toThrow('9999-from-the-future')
    expect((await migrationStatus(database)).unknown).toEqual(['9999-from-the-future'])
  })

  pgTest('keeps nothing of a migration that failed', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await database.pool.query('create schema bsky; create table millrace_gap ()')
    const error: unknown = await migrate(database).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(MigrationError)
    expect(error).toMatchObject({
      migration: '0001-bookkeeping',
      message: 'cannot apply the migration 0001-bookkeeping: relation "millrace_gap" already exists',
    })
    expect(classifyError(error)).toBe('ours')
    expect(await migrationStatus(database)).toMatchObject({ appView: 'absent', pending: ours })

    await database.pool.query('drop table millrace_gap')
    await migrate(database)
    expect(await migrationStatus(database)).toEqual(upToDate)
  })

  pgTest('is asked for before work starts', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await expect(assertMigrated(database)).rejects.toThrow('0001-bookkeeping')
    await migrate(database)
    await assertMigrated(database)
  })
})

describe('tables of one’s own', () => {
  const first = { name: '0001-status', sql: 'create table status (uri text primary key)' }
  const second = { name: '0002-count', sql: 'create table status_count (status text primary key)' }
  const statusphere = { name: 'xyz.statusphere', migrations: [first, second] }
  const other = { name: 'com.example', migrations: [{ name: '0001-status', sql: 'create table example ()' }] }

  const recorded = async ({ pool }: Database): Promise<string[]> =>
    (await pool.query<{ name: string }>('select name from millrace_migration order by at, name')).rows.map(
      ({ name }) => name,
    )

  pgTest('are made after ours, once, and recorded under their set', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const sets = [statusphere, other]
    expect((await migrationStatus(database, { sets })).pending).toEqual([
      ...ours,
      'xyz.statusphere/0001-status',
      'xyz.statusphere/0002-count',
      'com.example/0001-status',
    ])
    await Promise.all([1, 2, 3].map(() => migrate(database, { sets })))
    expect(await recorded(database)).toEqual([
      ...ours,
      'xyz.statusphere/0001-status',
      'xyz.statusphere/0002-count',
      'com.example/0001-status',
    ])
    const tables = await database.pool.query(
      `select tablename from pg_tables where schemaname = 'bsky' and tablename in ('status', 'status_count', 'example')`,
    )
    expect(tables.rows).toHaveLength(3)
    expect(await migrationStatus(database, { sets })).toEqual(upToDate)
    await assertMigrated(database, { sets })
  })

  pgTest('get what a newer release of them adds', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database, { sets: [{ ...statusphere, migrations: [first] }] })
    await expect(assertMigrated(database, { sets: [statusphere] })).rejects.toThrow(
      'has to be migrated: xyz.statusphere/0002-count',
    )
    await migrate(database, { sets: [statusphere] })
    await assertMigrated(database, { sets: [statusphere] })
  })

  pgTest('are nobody’s concern who does not know them', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database, { sets: [statusphere] })
    expect(await migrationStatus(database)).toEqual(upToDate)
    await migrate(database)
    await assertMigrated(database)
    await migrate(database, { sets: [other] })
    await assertMigrated(database, { sets: [other] })
  })

  pgTest('are refused when a newer release of them has been there (X23)', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database, { sets: [statusphere] })
    for (const migrations of [[first], []]) {
      const sets = [{ ...statusphere, migrations }, other]
      await expect(migrate(database, { sets })).rejects.toThrow(SchemaError)
      await expect(migrate(database, { sets })).rejects.toThrow('does not know')
      await expect(assertMigrated(database, { sets })).rejects.toThrow('xyz.statusphere/0002-count')
    }
    expect(await recorded(database)).not.toContain('com.example/0001-status')
  })

  pgTest('are all there or none of them, and ours do not suffer', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    const failing = { ...statusphere, migrations: [first, { name: '0002-failing', sql: 'select 1 / 0' }] }
    await expect(migrate(database, { sets: [failing, other] })).rejects.toThrow(
      'cannot apply the migration xyz.statusphere/0002-failing: division by zero',
    )
    expect(await migrationStatus(database)).toEqual(upToDate)
    expect(await recorded(database)).toEqual(ours)
    await migrate(database, { sets: [statusphere, other] })
    expect(await recorded(database)).toHaveLength(ours.length + 3)
  })
})

describe('a database that the AppView has migrated', () => {
  pgTest('gets our tables, and keeps its own', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await createAppViewTables(database.pool, 'bsky')
    await recordAppViewMigrations(database.pool)
    const before = await describeSchema(database, 'bsky')
    await migrate(database)

    expect(await describeSchema(database, 'bsky')).toEqual(before)
    expect(await migrationStatus(database)).toEqual(upToDate)
    const { rows } = await database.pool.query('select count(*) as count from kysely_migration')
    expect(rows).toEqual([{ count: 61 }])
    await database.db.selectFrom('millrace_repo').selectAll().execute()
    await database.db.selectFrom('record').select('rev').execute()
  })

  pgTest('may be newer than ours, or lack what we do not use', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await createAppViewTables(database.pool, 'bsky')
    await recordAppViewMigrations(database.pool, [
      ...appViewMigrations.filter((name) => name <= newestNeededMigration),
      '_20991231T000000000Z',
    ])
    await migrate(database)
    expect(await migrationStatus(database)).toEqual(upToDate)
  })

  pgTest('is refused with the names of what it lacks', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await createAppViewTables(database.pool, 'bsky')
    await recordAppViewMigrations(
      database.pool,
      appViewMigrationNames().filter((name) => name !== '_20260729T223157563Z'),
    )
    await expect(migrate(database)).rejects.toThrow(SchemaError)
    await expect(migrate(database)).rejects.toThrow('lacks 1 of its migrations: _20260729T223157563Z.')
    const { rows } = await database.pool.query(`select to_regclass('millrace_migration') as found`)
    expect(rows).toEqual([{ found: null }])
  })

  pgTest('is refused when it has tables and no history', async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await createAppViewTables(database.pool, 'bsky')
    await expect(migrate(database)).rejects.toThrow('lacks 60 of its migrations')
  })

  pgTest(
    'keeps the revisions that another pipeline stored, and its tombstones as ours (G7)',
    async ({ databaseUrl }) => {
      await using database = await openDatabase({ url: databaseUrl })
      await createAppViewTables(database.pool, 'bsky')
      await recordAppViewMigrations(database.pool)
      await database.pool.query(`
      alter table record add column rev varchar;
      insert into record (uri, cid, did, json, "indexedAt", rev) values
        ('at://a/b/kept', 'c', 'did:a', '{}', '', '3ka'),
        ('at://a/b/deleted', '', 'did:a', '', '', '3kb'),
        ('at://a/b/long-gone', '', 'did:a', '', '', null)`)
      await migrate(database)

      expect(await database.db.selectFrom('record').select(['uri', 'rev']).execute()).toEqual([
        { uri: 'at://a/b/kept', rev: '3ka' },
      ])
      const tombstones = database.db.selectFrom('millrace_tombstone').select(['uri', 'did', 'rev']).orderBy('uri')
      expect(await tombstones.execute()).toEqual([
        { uri: 'at://a/b/deleted', did: 'did:a', rev: '3kb' },
        { uri: 'at://a/b/long-gone', did: 'did:a', rev: '' },
      ])
    },
  )

  pgTest(
    'may demand a revision of each record, and have had migrations that the AppView has not',
    async ({ databaseUrl }) => {
      await using database = await openDatabase({ url: databaseUrl })
      await createAppViewTables(database.pool, 'bsky')
      await recordAppViewMigrations(database.pool, [...appViewMigrationNames(), '_20251009T040222812Z'])
      await database.pool.query('alter table record add column rev varchar not null')
      await migrate(database)
      expect(await migrationStatus(database)).toEqual(upToDate)
    },
  )
})

const upToDate = { appView: 'complete', missing: [], pending: [], unknown: [] }

async function historyOf(database: Database): Promise<unknown[]> {
  const { rows } = await database.pool.query(
    'select name, timestamp from kysely_migration union all select name, at::text from millrace_migration order by 1',
  )
  return rows
}

/** All that the catalogue says about the AppView's part of a schema, without the name of the schema. */
async function describeSchema(database: Database, schema: string): Promise<Record<string, unknown[]>> {
  const queries = {
    columns: `
      select table_name, ordinal_position, column_name, data_type, udt_name, character_maximum_length, is_nullable,
        column_default, is_generated, generation_expression, collation_name
      from information_schema.columns
      where table_schema = $1 and (table_name, column_name) <> ('record', 'rev')`,
    indexes: `
      select tablename as table_name, indexname, indexdef from pg_indexes
      where schemaname = $1 and indexname not like 'millrace%'`,
    constraints: `
      select relname as table_name, conname, contype, pg_get_constraintdef(pg_constraint.oid) as definition
      from pg_constraint join pg_class on pg_class.oid = conrelid
      where relnamespace = $1::regnamespace`,
    views: 'select matviewname as table_name, definition from pg_matviews where schemaname = $1',
    sequences: `
      select sequencename as table_name, data_type::text, start_value, increment_by, cycle
      from pg_sequences where schemaname = $1`,
    tables: `
      select relname as table_name, relkind, relpersistence, relhastriggers
      from pg_class where relnamespace = $1::regnamespace and relname not like 'millrace%'`,
  }
  const parts = Object.entries(queries).map(async ([part, query]) => {
    const { rows } = await database.pool.query<Record<string, unknown>>(query, [schema])
    const lines = rows
      .filter((row) => !String(row['table_name']).startsWith('millrace_'))
      .map((row) => JSON.stringify(row).replaceAll(new RegExp(String.raw`\b${schema}\.`, 'g'), ''))
    return [part, lines.sort()] as const
  })
  return Object.fromEntries(await Promise.all(parts))
}
