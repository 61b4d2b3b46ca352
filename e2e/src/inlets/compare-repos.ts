import type { NetworkRecord } from '@millrace/dev-network'
import { cidForCbor } from '@atproto/lex-data'
import type { Random } from '@millrace/dev-network'
import type { Pool } from 'pg'
import type { RecordBlock } from './large-repo.ts'

/** Records that the network has and the rows have not, or the other way round. */
export interface Difference {
  missing: number
  unexpected: number
  other: number
}

/** Compares every record of some accounts, by its CID. */
export async function compareAll(
  pool: Pool,
  dids: readonly string[],
  records: readonly NetworkRecord[],
): Promise<Difference> {
  const { rows } = await pool.query<{ uri: string; cid: string }>(
    `select uri, cid from bsky.record where did = any ($1::text[])`,
    [dids],
  )
  const stored = new Map(rows.map(({ uri, cid }) => [uri, cid]))
  const found = records.filter(({ uri }) => stored.has(uri))
  return {
    missing: records.length - found.length,
    unexpected: stored.size - found.length,
    other: found.filter(({ uri, cid }) => stored.get(uri) !== cid).length,
  }
}

export interface CompareSampleOptions {
  pool: Pool
  did: string
  records: readonly RecordBlock[]
  /** Records that are looked at one by one. */
  sample: number
  random: Random
  /** The table that these records become rows of. */
  table: string
}

/** Compares how many records of a large repo there are, as they are and as rows of their collection, and some of them. */
export async function compareSample(options: CompareSampleOptions): Promise<Difference> {
  const { pool, did, records, sample, random, table } = options
  const { rows } = await pool.query<{ records: number; rows: number }>(
    `select (select count(*) from bsky.record where did = $1)::int as records,
       (select count(*) from bsky.${table} where creator = $1)::int as rows`,
    [did],
  )
  const [count] = rows
  const chosen = Array.from({ length: Math.min(sample, records.length) }, () => random.pick(records)!)
  const expected = new Map<string, string>()
  for (const [path, block] of chosen) expected.set(`at://${did}/${path}`, (await cidForCbor(block)).toString())
  const { rows: found } = await pool.query<{ uri: string; cid: string }>(
    `select record.uri, record.cid from bsky.record join bsky.${table} using (uri) where record.uri = any ($1::text[])`,
    [[...expected.keys()]],
  )
  const fewest = Math.min(count!.records, count!.rows)
  return {
    missing: Math.max(records.length - fewest, expected.size - found.length, 0),
    unexpected: Math.max(0, count!.records - records.length, count!.rows - records.length),
    other: found.filter(({ uri, cid }) => expected.get(uri) !== cid).length,
  }
}

/** Rows of accounts that never had a repo that holds. */
export async function countRecords(pool: Pool, dids: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from bsky.record where did = any ($1::text[])`,
    [dids],
  )
  return rows[0]!.count
}
