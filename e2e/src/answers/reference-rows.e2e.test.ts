import { migrate, openDatabase } from '@millrace/database'
import { startRecordedNetwork } from '@millrace/dev-network'
import { pgTest } from '@millrace/testing'
import type { Pool } from 'pg'
import { expect } from 'vitest'
import { AppView } from '../appview/appview.ts'
import { compareDatabases } from '../compare/compare-databases.ts'
import { RowIndex } from '../compare/deviations.ts'
import { loadRows } from '../compare/load-rows.ts'
import { readExpected } from '../compare/read-expected.ts'
import { comparedTables, readDatabase, type Row } from '@millrace/oracle'
import { recordingFolder } from '../pipeline/recording.ts'
import { askRecordedCalls } from './ask.ts'
import { judgeAnswers } from './judge-answers.ts'
import { readRecordedCalls } from './recorded-calls.ts'

const hugo = 'did:plc:mirwmzqxq4gsxsfwuhrhbbn2'
const gina = 'did:plc:ys4gtfsxdrbynphm6pakaxsl'
const post = `at://${hugo}/app.bsky.feed.post/3n2xtuoioe72x`

/** One row made other than it should be, and the methods that then answer otherwise. */
const changes = [
  { table: 'post_agg', where: `uri = '${post}'`, set: `"likeCount" = 99`, shows: 'getPosts' },
  { table: 'label', where: `uri = '${post}' and val = 'rude'`, set: 'neg = true', shows: 'getPosts' },
  { table: 'feed_item', where: `uri = '${post}'`, set: undefined, shows: 'getAuthorFeed' },
  { table: 'follow', where: `creator = '${hugo}'`, set: undefined, shows: 'getFollows' },
  { table: 'notification', where: `did = '${hugo}' and reason = 'reply'`, set: undefined, shows: 'listNotifications' },
  // What readers demand of all rows: one that falls short fails all that it would be in (G7, J10, L5).
  { table: 'record', where: `uri = '${post}'`, set: `json = '', cid = ''`, shows: 'getPosts' },
  { table: 'record', where: `uri = '${post}'`, set: `"indexedAt" = 'yesterday'`, shows: 'getPosts' },
  { table: 'label', where: `uri = '${post}' and val = 'rude'`, set: `exp = 'never'`, shows: 'getPosts' },
  // What they look for in one place only (D3, X12).
  { table: 'actor', where: `did = '${hugo}'`, set: undefined, shows: 'getProfile' },
  { table: 'post', where: '"hasThreadGate"', set: '"hasThreadGate" = null', shows: 'getAuthorFeed' },
]

pgTest(
  'over its own rows the AppView answers as recorded, and over none that was changed',
  { timeout: 120_000 },
  async ({ databaseUrl }) => {
    await using network = await startRecordedNetwork({ folder: recordingFolder })
    await using database = await openDatabase({ url: databaseUrl })
    const { pool, schema } = database
    await migrate(database)
    const expected = await readExpected(recordingFolder, 'db-replay')
    await loadRows(pool, schema, expected)
    await using appView = await AppView.start({ databaseUrl, network })
    expect(appView.migrations).toBe(0)

    const everything = await readRecordedCalls(recordingFolder)
    const methods = new Set(changes.map(({ shows }) => shows))
    const about = everything.calls.filter(
      ({ nsid, params, viewer }) =>
        methods.has(nsid.split('.').at(-1)!) &&
        [hugo, gina, post].some((name) => JSON.stringify([params, viewer]).includes(name)),
    )
    /** Methods with answers that differ, and tables with rows that do, without a reason. */
    const differing = async (method?: string): Promise<{ methods: string[]; tables: string[] }> => {
      const recorded = { ...everything, calls: about.filter(({ nsid }) => nsid.endsWith(method ?? '')) }
      const rows = { expected, actual: await readDatabase(pool, schema) }
      const tables = compareDatabases(rows)
      const answers = await askRecordedCalls(appView.url, recorded)
      const verdicts = judgeAnswers({ recorded, answers, tables, rows: new RowIndex(rows) })
      return {
        methods: verdicts
          .filter(({ calls, equal, explained }) => calls > equal + explained)
          .map(({ nsid }) => nsid.split('.').at(-1)!),
        tables: tables.filter(({ unexplained }) => unexplained.length > 0).map(({ table }) => table),
      }
    }
    expect(await differing()).toEqual({ methods: [], tables: [] })
    for (const { table, where, set, shows } of changes) {
      const before = await takeRows(pool, `"${schema}"."${table}"`, where, set)
      expect(before.length, `${table} where ${where}`).toBeGreaterThan(0)
      // The comparison of rows passes over the time of indexing, which is a clock.
      const tables = set?.includes('indexedAt') ? [] : [table]
      expect(await differing(shows), `${table} set ${set}`).toEqual({ methods: [shows], tables })
      await putBack(pool, schema, table, before)
    }
    expect(await differing('getPosts')).toEqual({ methods: [], tables: [] })
  },
)

/** Changes rows, or removes them, and says what they were. */
async function takeRows(pool: Pool, table: string, where: string, set: string | undefined): Promise<Row[]> {
  const { rows } = await pool.query<{ row: Row }>(`select row_to_json(t) as row from ${table} t where ${where}`)
  await pool.query(
    set === undefined ? `delete from ${table} where ${where}` : `update ${table} set ${set} where ${where}`,
  )
  return rows.map(({ row }) => row)
}

async function putBack(pool: Pool, schema: string, table: string, rows: readonly Row[]): Promise<void> {
  const isSame = comparedTables[table]!.key.map((column) => `t."${column}" is not distinct from k."${column}"`)
  await pool.query(
    `delete from "${schema}"."${table}" t
     using json_populate_recordset(null::"${schema}"."${table}", $1) k where ${isSame.join(' and ')}`,
    [JSON.stringify(rows)],
  )
  await loadRows(pool, schema, [[table, rows]])
}
