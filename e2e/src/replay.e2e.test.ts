import { startRecordedNetwork } from '@millrace/dev-network'
import { readDatabase, renderAnomalies } from '@millrace/oracle'
import { serviceTest } from '@millrace/testing'
import type { Pool } from 'pg'
import { expect } from 'vitest'
import { recordedAnomalies } from './compare/recorded-anomalies.ts'
import { compareDatabases, renderVerdicts } from './compare/compare-databases.ts'
import { readExpected } from './compare/read-expected.ts'
import { FourApps } from './pipeline/four-apps.ts'
import { LAST_LABELS, recordingFolder, startAtFirstFrame } from './pipeline/recording.ts'
import { TestPool } from './pipeline/test-pool.ts'
import { readStatus, waitUntilIndexed } from './pipeline/wait-until-indexed.ts'

/** Prints the comparison table by table, and says how many rows differ without a reason. */
async function unexplainedRows(pool: Pool): Promise<number> {
  const verdicts = compareDatabases({
    expected: await readExpected(recordingFolder, 'db-replay'),
    actual: await readDatabase(pool, 'bsky'),
  })
  console.log(renderVerdicts(verdicts))
  return verdicts.reduce((sum, { unexplained }) => sum + unexplained.length, 0)
}

serviceTest(
  'a recorded network ends with the rows of the reference when indexer and backfiller are killed in the middle',
  { timeout: 180_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startRecordedNetwork({ folder: recordingFolder })
    network.hold(900)
    await startAtFirstFrame(redisUrl, network.relayUrl)
    await using pool = new TestPool(databaseUrl)
    // Small batches, so that there is a middle to be killed in.
    await using four = await FourApps.start({
      network,
      redisUrl,
      databaseUrl,
      form: 'source',
      env: { INDEXER_BATCH_SIZE: '20' },
    })
    const { indexer, backfiller } = four.apps
    let kills = 0
    for (const stop of [1200, 1600, 2000]) {
      await records(pool, 10 * (kills + 1))
      await Promise.all([indexer.kill(), backfiller.kill()])
      expect([indexer.isRunning, backfiller.isRunning]).toEqual([false, false])
      kills += 1
      network.release()
      network.hold(stop)
      indexer.start()
      backfiller.start()
    }
    network.release()
    await waitUntilIndexed({
      four,
      pool,
      schema: 'bsky',
      heads: { firehose: network.head(), labels: LAST_LABELS },
      timeoutMs: 150_000,
    })
    const unexplained = await unexplainedRows(pool)
    expect(kills).toBe(3)
    expect(unexplained).toBe(0)
    expect(renderAnomalies(await recordedAnomalies(pool, network))).toBe('')
    expect((await readStatus(four))?.streams.map(({ length }) => length)).toEqual([0, 0, 0, 0])
  },
)

/** Waits until so many records are indexed: then something is under way. */
async function records(pool: Pool, count: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ there: boolean }>(
      `select to_regclass('bsky.millrace_identity') is not null as there`,
    )
    if (rows[0]?.there && (await pool.query('select 1 from bsky.record limit $1', [count])).rowCount === count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
