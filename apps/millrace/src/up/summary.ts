import type { Database } from '@millrace/database'
import type { Snapshot } from './snapshot.ts'

/** What `millrace up` says at its end, and prints with `--json`. */
export interface Summary {
  /** True when everything listed, streamed and backfilled is indexed. */
  idle: boolean
  network: string
  streams: string
  postgres: string
  seconds: number
  repos: { listed: number; backfilled: number; givenUp: number }
  events: { streamed: number; backfilled: number; indexed: number; labels: number }
  /** Rows by table. */
  rows: Record<string, number>
  /** Records by collection. */
  records: Record<string, number>
  deadLetters: Record<string, number>
  dirty: number
  gaps: number
}

const counted = [
  'actor',
  'record',
  'post',
  'like',
  'repost',
  'follow',
  'actor_block',
  'profile',
  'list',
  'list_item',
  'feed_generator',
  'starter_pack',
  'notification',
  'label',
] as const

export interface SummaryOptions {
  database: Database
  snapshot: Snapshot
  heading: { network: string; streams: string; postgres: string; startedAt: number }
  idle: boolean
}

/** Counts what is there. It reads whole tables, so it is for the end of a run and not for a running service. */
export async function summarize({ database, snapshot, heading, idle }: SummaryOptions): Promise<Summary> {
  const { pool } = database
  const rows = await pool.query<{ name: string; rows: number }>(
    counted.map((table) => `select '${table}' as name, count(*) as rows from "${table}"`).join(' union all '),
  )
  const records = await pool.query<{ name: string; rows: number }>(
    `select split_part(uri, '/', 4) as name, count(*) as rows from record group by 1 order by 1`,
  )
  const toObject = (list: { name: string; rows: number }[]): Record<string, number> =>
    Object.fromEntries(list.map(({ name, rows }) => [name, rows]))
  return {
    idle,
    network: heading.network,
    streams: heading.streams,
    postgres: heading.postgres,
    seconds: Number(((Date.now() - heading.startedAt) / 1000).toFixed(1)),
    repos: { listed: snapshot.listing.repos, backfilled: snapshot.backfill.done, givenUp: snapshot.backfill.failed },
    events: {
      streamed: snapshot.firehose.events,
      backfilled: snapshot.backfill.records,
      indexed: snapshot.indexed,
      labels: snapshot.labels,
    },
    rows: toObject(rows.rows),
    records: toObject(records.rows),
    deadLetters: snapshot.deadLetters,
    dirty: snapshot.dirty,
    gaps: snapshot.gaps,
  }
}

/** The same for people. */
export function renderSummary(summary: Summary): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  return [
    `${summary.idle ? 'Everything is indexed' : 'Stopped'} after ${summary.seconds} s.`,
    `  repos         ${summary.repos.listed} listed, ${summary.repos.backfilled} backfilled, ${summary.repos.givenUp} given up`,
    `  events        ${summary.events.streamed} streamed, ${summary.events.backfilled} backfilled, ${summary.events.indexed} indexed, ${summary.events.labels} labels`,
    `  rows          ${list(summary.rows)}`,
    `  dead letters  ${list(summary.deadLetters)}`,
    ...(summary.dirty + summary.gaps > 0 ? [`  to repair     ${summary.dirty} accounts, ${summary.gaps} gaps`] : []),
  ].join('\n')
}
