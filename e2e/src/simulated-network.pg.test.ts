import { migrate, openDatabase } from '@millrace/database'
import { startSimulatedNetwork, collectFrames, type SimulatedNetwork } from '@millrace/dev-network'
import { IndexingService } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { decodeFrame, frameToEvents } from '@millrace/ingest'
import { compareWithOracle, renderAnomalies } from '@millrace/oracle'
import type { LabelEvent, StreamEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { endOfSimulation } from './compare/simulated-end.ts'

pgTest(
  'a simulated network ends in the rows that the oracle makes of its repos (P7)',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    await using network = await startSimulatedNetwork({ accounts: 30, recordsPerAccount: 30, labels: 40 })
    await network.account(3).remove()
    await network.account(4).deactivate()
    await network.account(5).takedown()
    await network.account(5).reactivate()

    await using database = await openDatabase({ url: databaseUrl, pipeline: true })
    await migrate(database)
    const indexing = await IndexingService.open({
      database,
      plugins: appBskyPlugins,
      notificationHorizonMs: Number.POSITIVE_INFINITY,
    })
    const { events, labels } = await said(network)
    for (let start = 0; start < events.length; start += 200) await indexing.index(events.slice(start, start + 200))
    await indexing.indexLabels(labels)

    const compare = () =>
      compareWithOracle({ pool: database.pool, schema: database.schema, now: Date.now(), ...endOfSimulation(network) })
    expect(renderAnomalies(await compare())).toBe('')

    // Of what it compares nothing goes unnoticed.
    for (const [statement, kinds] of [
      [
        `delete from record where uri = (select uri from record where uri like '%/app.bsky.feed.generator/%' limit 1)`,
        ['lost', 'orphan'],
      ],
      [
        `update post_agg set "likeCount" = "likeCount" + 1 where uri = (select subject from "like" limit 1)`,
        ['miscount'],
      ],
      [
        `insert into notification (did, "recordUri", "recordCid", author, reason, "reasonSubject", "sortAt") select did, "recordUri", "recordCid", author, reason, "reasonSubject", "sortAt" from notification limit 1`,
        ['double-notified'],
      ],
      [
        `update post set "invalidReplyRoot" = true where uri = (select uri from post where "replyRoot" is null limit 1)`,
        ['misderived'],
      ],
    ] as const) {
      await database.pool.query(statement)
      expect((await compare()).map(({ kind }) => kind)).toEqual(expect.arrayContaining([...kinds]))
    }
  },
)

/** What its firehose and its labeler say. */
async function said(network: SimulatedNetwork): Promise<{ events: StreamEvent[]; labels: LabelEvent[] }> {
  const frames = await collectFrames({ host: network.relayUrl, cursor: 0, count: network.head() })
  const sent = network.labels().map(({ seq, ...label }): LabelEvent => ({ type: 'label', label, seq, host: 'labeler' }))
  return {
    events: frames.flatMap((bytes) => {
      const frame = decodeFrame(bytes)
      return frame.type === 'error' || frame.type === 'info' ? [] : frameToEvents(frame, { host: 'relay' }).events
    }),
    labels: sent,
  }
}
