import { readConfig } from '@millrace/runtime'
import { expect, test } from 'vitest'
import { backfillerConfig } from './config.ts'

test('only the name of the consumer is needed', () => {
  expect(readConfig(backfillerConfig, { BACKFILLER_CONSUMER: 'one', BACKFILLER_CONCURRENCY: '' })).toMatchObject({
    BACKFILLER_CONSUMER: 'one',
    BACKFILLER_GROUP: 'repo_backfill_group',
    BACKFILLER_CONCURRENCY: 2,
    BACKFILLER_BACKFILL_STREAM: 'repo_backfill',
    BACKFILLER_FIREHOSE_STREAM: 'firehose_backfill',
    BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK: 100_000,
    BACKFILLER_CLAIM_IDLE: 60_000,
    METRICS_PORT: 4010,
  })
  expect(() => readConfig(backfillerConfig, {})).toThrow('BACKFILLER_CONSUMER is not set')
})
