import { Client } from 'pg'

export type Row = Record<string, unknown>

/** A table that both systems fill. */
export interface ComparedTable {
  table: string
  /** Columns that tell its rows apart in both. */
  key: readonly string[]
  /** Columns that say nothing of the events, such as numbers that count up. */
  ignored?: readonly string[]
  /** Columns of text that hold JSON: the order of its keys does not count. */
  json?: readonly string[]
}

export interface RowDifference {
  table: string
  /** Values of the key, for people. */
  key: string
  ours: Row | null
  reference: Row | null
  /** Columns whose values differ; empty when one of the two is missing. */
  columns: string[]
}

const byUri: Pick<ComparedTable, 'key'> = { key: ['uri'] }

export const comparedTables: readonly ComparedTable[] = [
  { table: 'record', ...byUri, json: ['json'] },
  { table: 'duplicate_record', ...byUri },
  { table: 'post', ...byUri },
  { table: 'post_embed_image', key: ['postUri', 'position'] },
  { table: 'post_embed_gallery_image', key: ['postUri', 'position'] },
  { table: 'post_embed_external', key: ['postUri'] },
  { table: 'post_embed_record', key: ['postUri'] },
  { table: 'post_embed_video', key: ['postUri'] },
  { table: 'quote', ...byUri },
  { table: 'op_thread_reply', key: ['rootUri', 'uri'] },
  { table: 'like', ...byUri },
  { table: 'repost', ...byUri },
  { table: 'follow', ...byUri },
  { table: 'actor_block', ...byUri },
  { table: 'profile', ...byUri },
  { table: 'feed_item', ...byUri },
  { table: 'notification', key: ['did', 'recordUri', 'reason'], ignored: ['id'] },
  { table: 'post_agg', ...byUri },
  { table: 'profile_agg', key: ['did'] },
  { table: 'actor_sync', key: ['did'] },
]

/** Rows that differ between two databases with a schema `bsky`. Columns that only ours has are ours alone. */
export async function compareTable(
  urls: { ours: string; reference: string },
  compared: ComparedTable,
): Promise<{ rows: number; differences: RowDifference[] }> {
  const columns = (await columnsOf(urls.reference, compared.table)).filter((name) => !compared.ignored?.includes(name))
  const [ours, reference] = await Promise.all([
    readRows(urls.ours, compared, columns),
    readRows(urls.reference, compared, columns),
  ])
  const differences: RowDifference[] = []
  for (const key of new Set([...ours.keys(), ...reference.keys()])) {
    const [mine, theirs] = [ours.get(key), reference.get(key)]
    if (mine === theirs) continue
    differences.push(difference(compared.table, key, parseRow(mine), parseRow(theirs)))
  }
  return { rows: reference.size, differences }
}

function parseRow(text: string | undefined): Row | null {
  return text === undefined ? null : (JSON.parse(text) as Row)
}

function difference(table: string, key: string, ours: Row | null, reference: Row | null): RowDifference {
  const differs = (name: string) => JSON.stringify(ours?.[name]) !== JSON.stringify(reference?.[name])
  return { table, key, ours, reference, columns: ours && reference ? Object.keys(reference).filter(differs) : [] }
}

async function columnsOf(url: string, table: string): Promise<string[]> {
  const names = await select<{ name: string }>(
    url,
    `select column_name as name from information_schema.columns
     where table_schema = 'bsky' and table_name = $1 order by column_name`,
    [table],
  )
  if (names.length === 0) throw new Error(`the reference has no table ${table}`)
  return names.map(({ name }) => name)
}

/** Each row as JSON text under the text of its key. */
async function readRows(url: string, compared: ComparedTable, columns: string[]): Promise<Map<string, string>> {
  const values = columns.map((name) => `'${name}', "${name}"${compared.json?.includes(name) ? '::jsonb' : ''}`)
  const key = compared.key.map((name) => `"${name}"::text`).join(', ')
  const rows = await select<{ key: string; row: string }>(
    url,
    `select concat_ws(' ', ${key}) as key, jsonb_build_object(${values.join(', ')})::text as row
     from bsky."${compared.table}"`,
  )
  return new Map(rows.map(({ key, row }) => [key, row]))
}

async function select<R extends object>(url: string, text: string, values: unknown[] = []): Promise<R[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(text, values)).rows
  } finally {
    await client.end()
  }
}
