import { PostgresLedger, type Database } from '@millrace/database'
import type { DatabaseReport } from './status.ts'

/** The ledger's open items and estimates of the tables' sizes. Counts no rows of the AppView's tables (hazard M7). */
export async function databaseReport(database: Database, now: number): Promise<DatabaseReport> {
  const [summary, tables] = await Promise.all([new PostgresLedger({ database }).summary(), tableEstimates(database)])
  const { oldest } = summary.dirty
  return {
    location: database.location,
    deadLetters: Object.entries(summary.deadLetters).map(([reason, count]) => ({ reason, count })),
    dirty: {
      count: summary.dirty.count,
      ...(oldest && { oldestAgeSeconds: Math.max(0, Math.round((now - oldest.getTime()) / 1_000)) }),
    },
    gaps: summary.gaps.map(({ host, stream, reason, fromSeq, toSeq, openedAt }) => ({
      host,
      stream,
      reason,
      ...(fromSeq !== undefined && { fromSeq }),
      ...(toSeq !== undefined && { toSeq }),
      openedAt: openedAt.toISOString(),
    })),
    tables,
  }
}

/** From the catalogue; a table that was never analysed (-1 there) is taken from the statistics of its writes. */
async function tableEstimates(database: Database): Promise<DatabaseReport['tables']> {
  const { rows } = await database.pool.query<{ name: string; rows: number }>(
    `select c.relname::text as name,
       (case when c.reltuples < 0 then coalesce(s.n_live_tup, 0) else c.reltuples end)::bigint as rows
     from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       left join pg_stat_user_tables s on s.relid = c.oid
     where n.nspname = $1 and c.relkind in ('r', 'p') and c.relname not like 'kysely\\_%'
     order by c.relname
     limit 200`,
    [database.schema],
  )
  return rows
}
