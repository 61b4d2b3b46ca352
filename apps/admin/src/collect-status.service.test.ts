import { PostgresLedger } from '@millrace/database'
import { Health, readConfig } from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { cursorKey, groups, INGESTER_DONE, streamEventCodec, streams } from '@millrace/stream-protocol'
import { redisTest, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { collectStatus } from './collect-status.ts'
import { createAdminServer } from './admin-server.ts'
import { adminConfig } from './config.ts'
import { describePipeline } from './describe-pipeline.ts'

const account = { type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did: 'did:plc:abc', active: true } as const
const host = 'https://relay.example'

const described = describePipeline(readConfig(adminConfig, {}), { bind: '127.0.0.1', hasPassword: false })
const declare = (stream: string) => ({ stream, group: groups.firehose, role: 'indexer' as const, highWaterMark: 100 })
const openRedis = (url: string) => openStreams({ kind: 'redis', url, location: url, why: 'it is a test' })

redisTest('tells lengths, groups and cursors of a Redis', async ({ redisUrl, signal }) => {
  await using store = await openRedis(redisUrl)
  const stream = streams.firehoseLive
  await store.ensureGroup(stream, groups.firehose)
  const key = cursorKey(stream, host)
  await store.writer({ stream, codec: streamEventCodec }).append([account, account, account], {
    cursor: { key, from: null, to: '3' },
  })
  await store.cursors.set(cursorKey(streams.repoBackfill, host), INGESTER_DONE)
  const consumer = store.consumer({
    stream,
    group: groups.firehose,
    consumer: 'one',
    codec: streamEventCodec,
    batchSize: 2,
  })
  for await (const batch of consumer.batches(signal)) {
    await batch.ack([batch.entries[0]?.id ?? ''])
    break
  }

  const status = await collectStatus({
    ...described,
    store,
    declared: [declare(stream), declare('absent')],
    cursors: [
      { stream, host },
      { stream: streams.repoBackfill, host },
      { stream: streams.labelLive, host },
    ],
  })
  expect(status).toMatchObject({
    status: 'degraded',
    problems: [
      { code: 'host-away', subject: `relay.example ${stream}`, severity: 'ticket' },
      { code: 'host-away', subject: `relay.example ${streams.labelLive}` },
    ],
    store: { kind: 'redis' },
    streams: [
      {
        name: stream,
        length: 2,
        groups: [{ name: groups.firehose, pending: 1, undelivered: 1, consumers: [{ name: 'one', pending: 1 }] }],
      },
      { name: 'absent', length: 0, lagSeconds: 0, groups: [] },
    ],
    cursors: [
      { stream, host, cursor: '3', done: false },
      { stream: streams.repoBackfill, host, cursor: INGESTER_DONE, done: true },
      { stream: streams.labelLive, host, done: false },
    ],
  })
  expect(status.cursors[2]).not.toHaveProperty('cursor')
})

serviceTest('tells what the ledger holds, over XRPC', async ({ redisUrl, databaseUrl }) => {
  await using store = await openRedis(redisUrl)
  await using database = await openMigratedDatabase({ url: databaseUrl })
  const ledger = new PostgresLedger({ database })
  await ledger.deadLetter([
    { stream: 's', entryId: '1-0', reason: 'bad-json', error: 'no', payload: '{' },
    { stream: 's', entryId: '2-0', reason: 'bad-json', error: 'no', payload: '{' },
  ])
  await ledger.markDirty([{ did: 'did:plc:abc', reason: 'gap' }])
  await ledger.recordGap({ host, stream: 's', reason: 'outdated-cursor', fromSeq: '5' })

  await using server = await createAdminServer({
    port: 0,
    passwords: [],
    sources: { ...described, store, database },
    health: new Health(),
    version: '0.0.0',
  })
  const answer = await fetch(`http://127.0.0.1:${server.port}/xrpc/dev.millrace.admin.getStatus`)
  expect(answer.status).toBe(200)
  const status: unknown = await answer.json()
  expect(status).toMatchObject({
    status: 'degraded',
    problems: [
      { code: 'gap-open', subject: `${host} s`, severity: 'ticket', command: `millrace repair --host ${host}` },
      { code: 'dead-letters', subject: '', since: expect.any(String), message: '2 dead letters: bad-json' },
    ],
    database: {
      deadLetters: [{ reason: 'bad-json', count: 2 }],
      dirty: { count: 1 },
      gaps: [{ host, stream: 's', reason: 'outdated-cursor', fromSeq: '5' }],
      tables: expect.arrayContaining([
        { name: 'post', rows: 0 },
        { name: 'millrace_dirty', rows: expect.any(Number) },
      ]),
    },
  })
  expect(JSON.stringify(status)).not.toContain(new URL(databaseUrl).password || 'no password here')
})

serviceTest('a database that is not migrated is a part that does not answer', async ({ redisUrl, databaseUrl }) => {
  await using database = await openMigratedDatabase({ url: databaseUrl, migrates: false })
  await using store = await openRedis(redisUrl)
  const status = await collectStatus({ ...described, store, declared: [], database })
  expect(status).toMatchObject({ status: 'failing', problems: [{ code: 'schema-behind' }] })
})
