import path from 'node:path'
import { startProcess } from '@millrace/runtime/testing'
import { serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'

const main = path.join(import.meta.dirname, 'main.ts')

test('a configuration that does not hold ends it with one line for each problem', { timeout: 120_000 }, async () => {
  await using indexer = startProcess({ main, env: { INDEXER_CONCURRENCY: 'lots', REDIS_URL: 'redis://127.0.0.1:1' } })
  expect(await indexer.ended).toBe(2)
  const lines = indexer.output().stderr.trim().split('\n')
  expect(lines.toSorted()).toEqual([
    expect.stringMatching(/^indexer: DB_POSTGRES_URL is not set/),
    expect.stringMatching(/^indexer: INDEXER_CONCURRENCY is "lots", expected a whole number/),
    expect.stringMatching(/^indexer: INDEXER_CONSUMER is not set/),
  ])
})

serviceTest(
  'migrates, is ready with its streams and its database, and ends on SIGTERM',
  { timeout: 180_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using indexer = startProcess({
      main,
      env: { INDEXER_CONSUMER: 'one', REDIS_URL: redisUrl, DB_POSTGRES_URL: databaseUrl },
    })
    const port = await indexer.metricsPort()
    const ready = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}/readyz`)).json()
    await expect.poll(ready, { timeout: 90_000 }).toMatchObject({
      status: 'ready',
      checks: {
        store: { status: 'ok' },
        database: { status: 'ok' },
        consumer: { status: 'ok' },
        loops: { status: 'ok' },
      },
    })
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(metrics).toContain('millrace_indexed_events_total{outcome="applied"} 0')
    expect(metrics).toContain('millrace_index_retries_total{stream="firehose_live",kind="transient"} 0')
    indexer.kill('SIGTERM')
    expect(await indexer.ended).toBe(0)
  },
)
