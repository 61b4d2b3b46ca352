import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Pool } from 'pg'

const recording = new URL('../../../fixtures/network-basic/', import.meta.url)

/** Names of the migrations that the AppView had applied to the database of the recording, in order. */
export function appViewMigrationNames(): string[] {
  const manifest = JSON.parse(readFileSync(new URL('manifest.json', recording), 'utf8')) as {
    db: { migrations: string[] }
  }
  return manifest.db.migrations
}

/** Makes the tables of the AppView as its own migrations made them: from what `pg_dump -s` wrote of the recording. */
export async function createAppViewTables(pool: Pick<Pool, 'query'>, schema: string): Promise<void> {
  const dump = gunzipSync(readFileSync(new URL('expected/schema.sql.gz', recording))).toString()
  const statements = dump
    .replaceAll('appview_oracle', schema)
    // Commands to psql, and settings that would outlive this.
    .replaceAll(/^(\\|SET |SELECT pg_catalog\.set_config).*$/gm, '')
  await pool.query('create extension if not exists pg_trgm with schema public')
  await pool.query(statements)
}

/** Has the tables in the search path say which migrations of the AppView they have had. */
export async function recordAppViewMigrations(
  pool: Pick<Pool, 'query'>,
  names: readonly string[] = appViewMigrationNames(),
): Promise<void> {
  await pool.query(
    `insert into kysely_migration (name, timestamp)
     select name, '2026-01-01T00:00:00.000Z' from unnest($1::text[]) as name`,
    [names],
  )
}
