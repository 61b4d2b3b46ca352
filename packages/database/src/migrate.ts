import { silentLogger, type Logger } from '@millrace/stream-protocol'
import type pg from 'pg'
import { MigrationError, SchemaError } from './errors.ts'
import { lockKey } from './locks.ts'
import { appViewMigrations, newestNeededMigration } from './migrations/appview-migrations.ts'
import { appViewSchema } from './migrations/appview-schema.ts'
import { recordedSets, setOfMigration, type MigrationSet } from './migrations/migration-set.ts'
import type { Database } from './open-database.ts'

export interface SchemaOptions {
  /** Tables of one's own, beside ours. Sets that are not named here are nobody's concern. @default [] */
  sets?: readonly MigrationSet[]
}

export interface MigrateOptions extends SchemaOptions {
  logger?: Logger
}

/** How a database stands to the schema of this release. */
export interface MigrationStatus {
  /** Who made the AppView's tables, as far as can be told: they are absent, complete, or lack what `missing` names. */
  appView: 'absent' | 'complete' | 'outdated'
  /** Migrations of the AppView that we rely on and the database has not had. */
  missing: string[]
  /** Migrations that `migrate` would apply: ours, and as `xyz.statusphere/0001-status` those of the sets. */
  pending: string[]
  /** Migrations that the database has had of us or of one of the sets, and that this release does not know. */
  unknown: string[]
}

/** What Kysely's migrator locks, and so the AppView's: two programs never change the schema at one time. */
const kyselyMigrationLock = 3853314791062309107n

/**
 * Brings the schema up to date: our part in one transaction, then each set in one of its own, all of it or nothing. Any
 * number of processes may call it at once.
 *
 * The AppView's tables are created on an empty schema, with the AppView's own migrations recorded as applied, so that
 * its start finds nothing to do. Where the AppView was first its tables are left alone. Our own migrations are
 * recorded in `millrace_migration`: a name that the AppView does not know would stop its migrator. Those of a set stand
 * there under the set's name, and do not stop processes that know nothing of the set.
 *
 * @throws {SchemaError} when the tables are those of an AppView too old, or of a newer release of ours or of a set
 * (hazard X23).
 */
export async function migrate(
  database: Database,
  { logger = silentLogger, sets = [] }: MigrateOptions = {},
): Promise<void> {
  const log = logger.child({ component: 'migrate' })
  const known = recordedSets(sets)
  for (const set of known) await migrateSet(database, set, known, log)
}

async function migrateSet(
  database: Database,
  set: MigrationSet,
  known: readonly MigrationSet[],
  log: Logger,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await database.transaction((client) => migrateWith(client, database.schema, set, known, log))
      return
    } catch (error) {
      // The AppView creates schema, extension and migration tables before it takes its lock, and may do so right now.
      if (attempt === 3 || !isAlreadyThere(error)) throw error
      log.debug({ err: error }, 'somebody else is migrating, looking again')
    }
  }
}

async function migrateWith(
  client: pg.PoolClient,
  schema: string,
  set: MigrationSet,
  known: readonly MigrationSet[],
  log: Logger,
): Promise<void> {
  // Others may be at it for longer than an ordinary statement takes, and so may we on a database that is in use.
  await client.query(`set local statement_timeout = '1h'; set local lock_timeout = '1h'`)
  await client.query('select pg_advisory_xact_lock($1)', [lockKey('migration', 'schema')])
  await client.query('select pg_advisory_xact_lock($1)', [kyselyMigrationLock])

  const before = await readStatus(client, schema, known)
  refuse(before, schema)

  if (before.appView === 'absent') {
    await createAppViewTables(client, schema)
    log.info({ schema }, 'created the AppView tables')
  }
  await client.query(`
    create table if not exists millrace_migration (
      name text collate "C" primary key,
      at timestamptz not null default now()
    )`)
  for (const { name, sql } of set.migrations.filter(({ name }) => before.pending.includes(name))) {
    try {
      await client.query(sql)
    } catch (cause) {
      throw new MigrationError(name, cause)
    }
    await client.query('insert into millrace_migration (name) values ($1)', [name])
    log.info({ migration: name }, 'applied a migration')
  }
}

/** What `migrate` would find. Changes nothing. */
export async function migrationStatus(database: Database, { sets = [] }: SchemaOptions = {}): Promise<MigrationStatus> {
  const known = recordedSets(sets)
  return await database.transaction((client) => readStatus(client, database.schema, known))
}

/** Throws what `migrate` would refuse with, and changes nothing. @throws {SchemaError} */
export async function assertCanMigrate(database: Database, options: SchemaOptions = {}): Promise<void> {
  refuse(await migrationStatus(database, options), database.schema)
}

/** Throws unless the schema is one that this release can run on without migrating. */
export async function assertMigrated(database: Database, options: SchemaOptions = {}): Promise<void> {
  const status = await migrationStatus(database, options)
  refuse(status, database.schema)
  const behind = status.appView === 'absent' ? ['the AppView tables', ...status.pending] : status.pending
  if (behind.length > 0) throw new SchemaError(`schema ${database.schema} has to be migrated: ${behind.join(', ')}`)
}

async function readStatus(
  client: pg.PoolClient,
  schema: string,
  known: readonly MigrationSet[],
): Promise<MigrationStatus> {
  const tables = await tablesOf(client, schema)
  const theirs = await namesIn(client, tables, 'kysely_migration')
  const done = await namesIn(client, tables, 'millrace_migration')
  const sets = new Set(known.map(({ name }) => name))
  const names = new Set(known.flatMap(({ migrations }) => migrations.map(({ name }) => name)))
  const shared = {
    pending: [...names].filter((name) => !done.has(name)),
    unknown: [...done].filter((name) => !names.has(name) && sets.has(setOfMigration(name))),
  }
  // Of an AppView that is just starting, or of something else altogether.
  const strangers = tables.has('record') || tables.has('actor') || tables.has('post')
  if (theirs.size === 0 && !strangers) return { appView: 'absent', missing: [], ...shared }

  const needed = appViewMigrations.filter((name) => name <= newestNeededMigration)
  const missing = needed.filter((name) => !theirs.has(name))
  return { appView: missing.length === 0 ? 'complete' : 'outdated', missing, ...shared }
}

function refuse({ appView, missing, unknown }: MigrationStatus, schema: string): void {
  if (unknown.length > 0) {
    throw new SchemaError(
      `schema ${schema} was migrated by a newer release: this one does not know ${unknown.join(', ')}`,
    )
  }
  if (appView === 'outdated') {
    throw new SchemaError(
      `schema ${schema} holds the tables of an AppView that lacks ${missing.length} of its migrations: ` +
        `${missing.join(', ')}. Start a newer @atproto/bsky on it first`,
    )
  }
}

async function createAppViewTables(client: pg.PoolClient, schema: string): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; trigrams: boolean }>(
    `select
      exists (select from pg_namespace where nspname = $1) as schema,
      exists (select from pg_extension where extname = 'pg_trgm') as trigrams`,
    [schema],
  )
  // Looked for first: a role that may not create them can still use them.
  if (!rows[0]?.schema) await client.query(`create schema "${schema}"`)
  if (!rows[0]?.trigrams) await client.query('create extension pg_trgm with schema public')

  await client.query(appViewSchema)
  await client.query(`
    create table if not exists kysely_migration (
      name varchar(255) primary key,
      timestamp varchar(255) not null
    );
    create table if not exists kysely_migration_lock (
      id varchar(255) primary key,
      is_locked integer not null default 0
    );
    insert into kysely_migration_lock (id, is_locked) values ('migration_lock', 0) on conflict do nothing`)

  // The migrator sorts by time before it sorts by name, and insists on its own order.
  const now = Date.now()
  const times = appViewMigrations.map((_, index) => new Date(now + index).toISOString())
  await client.query('insert into kysely_migration (name, timestamp) select * from unnest($1::text[], $2::text[])', [
    appViewMigrations,
    times,
  ])
}

async function tablesOf(client: pg.PoolClient, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    'select tablename::text as name from pg_tables where schemaname = $1',
    [schema],
  )
  return new Set(rows.map(({ name }) => name))
}

async function namesIn(
  client: pg.PoolClient,
  tables: ReadonlySet<string>,
  table: 'kysely_migration' | 'millrace_migration',
): Promise<Set<string>> {
  if (!tables.has(table)) return new Set()
  const { rows } = await client.query<{ name: string }>(`select name from ${table} order by name`)
  return new Set(rows.map(({ name }) => name))
}

/** Schema, table, object, or a row of the catalogue that says so. */
function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['42P06', '42P07', '42710', '23505'].includes(String(error.code))
}
