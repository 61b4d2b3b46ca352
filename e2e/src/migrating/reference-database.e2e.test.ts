import { readFile } from 'node:fs/promises'
import { migrate, openDatabase } from '@millrace/database'
import { startRecordedNetwork, type RecordedNetwork } from '@millrace/dev-network'
import { recount } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { compareWithOracle, renderAnomalies } from '@millrace/oracle'
import { markForResync } from '@millrace/repair'
import { streams } from '@millrace/stream-protocol'
import { createAppViewTables, eventually, recordAppViewMigrations, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { loadRows } from '../compare/load-rows.ts'
import { readExpected } from '../compare/read-expected.ts'
import { endOfRecording } from '../compare/recorded-end.ts'
import { recordingFolder } from '../pipeline/recording.ts'
import { leftInTables } from '../pipeline/until-nothing-is-left.ts'
import { AppsInProcess } from '../pipeline/apps-in-process.ts'

const guide = new URL('../../../docs/migrating.md', import.meta.url)

serviceTest(
  'a database that the reference filled ends, by the steps of the guide, in the rows of one that was filled anew',
  { timeout: 300_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startRecordedNetwork({ folder: recordingFolder })
    await fillAsReference(databaseUrl)
    await using ours = await AppsInProcess.open({ redisUrl, databaseUrl, network, consumer: 'one' })
    const { database, store } = ours
    const before = await anomalies(ours, network)
    // Records of collections that it does not know, what depends on the order of arrival, counts that it lost track of.
    for (const kind of ['lost record', 'misderived post', 'miscount post_agg']) expect(before).toContain(kind)

    const active = network.recording.listRepos.filter(({ active = true }) => active)
    await markForResync({ database, dids: active.map(({ did }) => did), reindex: true })
    await ours.startIndexer()
    ours.startBackfiller()
    await eventually(
      async () => {
        const left = await leftInTables(database.pool, { thorough: true })
        // Handles that it has looked up are looked at again in the course of a day.
        expect(left.filter((what) => !what.includes('handles'))).toEqual([])
        expect(await store.status([streams.firehoseBackfill])).toMatchObject([{ length: 0 }])
      },
      { timeoutMs: 120_000 },
    )
    await recount({ database, plugins: appBskyPlugins })
    expect(await anomalies(ours, network)).toMatch(/^(zombie|orphan)/)
    await database.pool.query(await statementsOfGuide())
    expect(await anomalies(ours, network)).toBe('')
  },
)

/** The database as the reference AppView leaves it, migrated by us. */
async function fillAsReference(url: string): Promise<void> {
  await using database = await openDatabase({ url })
  const { pool, schema } = database
  await createAppViewTables(pool, schema)
  await recordAppViewMigrations(pool)
  await loadRows(pool, schema, await readExpected(recordingFolder, 'db-replay'))
  await pool.query(`select setval('notification_id_seq', max(id)) from notification`)
  await migrate(database)
}

/** Where the rows are not what the network ends in. */
async function anomalies({ database }: AppsInProcess, { recording }: RecordedNetwork): Promise<string> {
  const { pool, schema } = database
  const found = await compareWithOracle({ pool, schema, now: Date.now(), ...(await endOfRecording(recording)) })
  return renderAnomalies(found)
}

/** What the guide says to run, as it is written there. */
async function statementsOfGuide(): Promise<string> {
  const found = /```sql\n(delete from bsky\.notification[^`]*)```/.exec(await readFile(guide, 'utf8'))
  if (!found) throw new Error('the guide has no statements that remove what is left')
  return found[1]!
}
