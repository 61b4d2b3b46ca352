import { ConsumerLease, PostgresLedger, openDatabase } from '@millrace/database'
import type { Diagnosis } from '@millrace/diagnosis'
import { connectRedis } from '@millrace/redis-streams'
import { cursorKey, groups, sleep, streams } from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { describe, expect } from 'vitest'
import { StagedPipeline } from './staged-pipeline.testing.ts'

const POST = 'app.bsky.feed.post'
const FOLLOW = 'app.bsky.graph.follow'
const createdAt = new Date().toISOString()
const post = (text: string) => ({ $type: POST, text, createdAt })

/** What is wrong, by the check that says so. The Postgres of tests keeps fsync off, which is wrong indeed. */
const wrong = (diagnosis: Diagnosis, verdict: 'fail' | 'warn' = 'fail') =>
  diagnosis.checks.flatMap((check) => (check.verdict === verdict && check.id !== 'database-settings' ? [check.id] : []))

const finding = (diagnosis: Diagnosis, id: string) => diagnosis.checks.find((check) => check.id === id)

const test = serviceTest.extend('pipeline', async ({ redisUrl, databaseUrl }, { onCleanup }) => {
  const pipeline = await StagedPipeline.open({ redisUrl, databaseUrl })
  onCleanup(() => pipeline[Symbol.asyncDispose]())
  return pipeline
})

describe('trace names what keeps a record from being seen', { timeout: 180_000 }, () => {
  test('that is as it should be', async ({ pipeline }) => {
    const account = pipeline.network.account(0)
    const [record] = account.records()
    const trace = await pipeline.trace(record!.uri)
    expect(trace.verdict).toMatchObject({ code: 'indexed', level: 'fine' })
    expect(trace.steps.map(({ place, outcome }) => `${place}: ${outcome}`)).toContain('pds: yes')
    expect((await pipeline.trace(account.handle)).verdict.code).toBe('indexed')
    const byHandle = record!.uri.replace(account.did, account.handle)
    expect((await pipeline.trace(byHandle)).subject).toMatchObject({ did: account.did, handle: account.handle })
  })

  test('1: it never was on the PDS', async ({ pipeline }) => {
    const { did } = pipeline.network.account(0)
    const trace = await pipeline.trace(`at://${did}/${POST}/3never`)
    expect(trace.verdict).toMatchObject({ code: 'not-on-pds', level: 'fine' })
  })

  serviceTest('2: its collection is filtered', async ({ redisUrl, databaseUrl }) => {
    const settings = { INDEXER_OTHER_COLLECTIONS: 'skip' } as const
    await using pipeline = await StagedPipeline.open({ redisUrl, databaseUrl, settings })
    const { uri } = await pipeline.network.account(0).create('com.example.thing', { $type: 'com.example.thing' })
    await pipeline.ingest()
    await pipeline.index()
    expect((await pipeline.trace(uri)).verdict).toMatchObject({
      code: 'filtered',
      level: 'fine',
      sentence: expect.stringContaining('com.example.thing'),
    })
  })

  test('3: a consumer has it in hand, or nobody has read it', async ({ pipeline }) => {
    const { uri } = await pipeline.network.account(0).create(POST, post('on its way'))
    await pipeline.ingest()
    const waiting = await pipeline.trace(uri)
    expect(waiting.verdict).toMatchObject({ code: 'waiting', level: 'wait' })
    expect(waiting.verdict.sentence).toContain('firehose_group has 1 entries to go through')
    await pipeline.takeAndKeep('slow')
    const { verdict } = await pipeline.trace(uri)
    expect(verdict).toMatchObject({ code: 'pending', level: 'wait' })
    expect(verdict.sentence).toContain('slow of firehose_group has had it in hand')
    expect(verdict.command).toBe('millrace pending firehose_live firehose_group')
  })

  test('4: it was given up, whatever the reason', async ({ pipeline }) => {
    const account = pipeline.network.account(0)
    const { uri } = await account.create(POST, { ...post('not a date'), createdAt: 'yesterday' })
    await pipeline.ingest()
    await pipeline.index()
    expect((await pipeline.trace(uri)).verdict).toMatchObject({
      code: 'dead-letter',
      level: 'act',
      sentence: expect.stringContaining('invalid-record'),
      command: expect.stringMatching(/^millrace dlq show \d+$/),
    })
    const ledger = new PostgresLedger({ database: pipeline.database })
    const reasons = ['failed', 'bad-json', 'bad-row', 'too-deep', 'undecodable-entry', 'invalid-repo']
    for (const [i, reason] of reasons.entries()) {
      const lost = (await account.create(POST, post(reason))).uri
      const letter = { stream: streams.firehoseLive, entryId: `${i}-0`, reason, error: 'it is a test', payload: '{}' }
      await ledger.deadLetter([{ ...letter, did: account.did, uri: lost }])
      expect((await pipeline.trace(lost)).verdict).toMatchObject({
        code: 'dead-letter',
        sentence: `It was given up: ${reason} (it is a test).`,
      })
    }
  })

  test('5: what is here is an older version', async ({ pipeline }) => {
    const account = pipeline.network.account(0)
    const { uri } = await account.create(POST, post('first'))
    await pipeline.ingest()
    await pipeline.index()
    await account.update(uri, post('second'))
    expect((await pipeline.trace(uri)).verdict).toMatchObject({
      code: 'stale',
      level: 'act',
      command: `millrace resync ${account.did}`,
    })
  })

  test('6: another record says the same', async ({ pipeline }) => {
    const [account, other] = [pipeline.network.account(0), pipeline.network.account(2)]
    for (const { uri, record } of account.records())
      if (record?.['subject'] === other.did && uri.includes(FOLLOW)) await account.delete(uri)
    const follow = { $type: FOLLOW, subject: other.did, createdAt }
    const first = await account.create(FOLLOW, follow, '3aaaaaaaaaaa2')
    const second = await account.create(FOLLOW, follow, '3bbbbbbbbbbb2')
    await pipeline.ingest()
    await pipeline.index()
    expect((await pipeline.trace(first.uri)).verdict.code).toBe('indexed')
    expect((await pipeline.trace(second.uri)).verdict).toMatchObject({
      code: 'duplicate',
      level: 'fine',
      sentence: expect.stringContaining(first.uri),
    })
  })

  test('7: it was deleted, and its deletion was heard of or missed', async ({ pipeline }) => {
    const account = pipeline.network.account(0)
    const { uri } = await account.create(POST, post('short'))
    await pipeline.ingest()
    await pipeline.index()
    await account.delete(uri)
    expect((await pipeline.trace(uri)).verdict).toMatchObject({ code: 'left-over', level: 'act' })
    await pipeline.ingest()
    expect((await pipeline.trace(uri)).verdict).toMatchObject({ code: 'waiting' })
    await pipeline.index()
    expect((await pipeline.trace(uri)).verdict).toMatchObject({ code: 'deleted', level: 'fine' })
  })

  test('8: its account is inactive', async ({ pipeline }) => {
    const account = pipeline.network.account(1)
    const [record] = account.records()
    await account.deactivate()
    expect((await pipeline.trace(record!.uri)).verdict).toMatchObject({ code: 'account-inactive', level: 'wait' })
    await pipeline.ingest()
    await pipeline.index()
    const trace = await pipeline.trace(record!.uri)
    expect(trace.verdict).toMatchObject({
      code: 'account-inactive',
      level: 'fine',
      sentence: expect.stringContaining('deactivated'),
    })
    expect((await pipeline.trace(account.did)).verdict.code).toBe('account-inactive')
    await account.reactivate()
    expect((await pipeline.trace(account.did)).verdict.code).toBe('status-differs')
  })

  test('9: it may be in a gap', async ({ pipeline }) => {
    const account = pipeline.network.account(0)
    const { uri } = await account.create(POST, post('missed'))
    expect((await pipeline.trace(uri)).verdict).toMatchObject({ code: 'missing', level: 'act' })
    const gap = { host: pipeline.relayHost, stream: streams.firehoseLive, reason: 'outdated-cursor' }
    await new PostgresLedger({ database: pipeline.database }).recordGap(gap)
    expect((await pipeline.trace(uri)).verdict).toMatchObject({
      code: 'gap',
      level: 'act',
      command: `millrace repair --host ${pipeline.relayHost}`,
    })
    expect((await pipeline.trace(account.did)).verdict.code).toBe('gap')
    expect(wrong(await pipeline.doctor(), 'warn')).toContain('gaps')
  })
})

describe('doctor names what is wrong with the pipeline', { timeout: 180_000 }, () => {
  test('nothing', async ({ pipeline }) => {
    const diagnosis = await pipeline.doctor()
    expect(wrong(diagnosis)).toEqual([])
    expect(diagnosis.checks.filter(({ verdict }) => verdict === 'unknown')).toEqual([])
  })

  test('10: a consumer has stopped', async ({ pipeline }) => {
    const { uri } = await pipeline.network.account(0).create(POST, post('unread'))
    await pipeline.ingest()
    await pipeline.store.removeIdleConsumers(streams.firehoseLive, groups.firehose, 0)
    const diagnosis = await pipeline.doctor({ now: () => Date.now() + 90_000 })
    expect(wrong(diagnosis)).toEqual(['stalls'])
    expect(finding(diagnosis, 'stalls')).toMatchObject({
      evidence: expect.stringContaining('none of its consumers is heard of'),
      command: 'millrace consumers firehose_live firehose_group',
    })
    expect((await pipeline.trace(uri)).verdict).toMatchObject({
      code: 'deserted',
      level: 'act',
      sentence: expect.stringContaining('start an indexer'),
    })
  })

  test('11: two processes go by one name', async ({ pipeline }) => {
    const lease = { database: pipeline.database, groups: [groups.firehose], name: 'one', leaseMs: 3_600_000 }
    await using first = await ConsumerLease.take(lease)
    const stop = new AbortController()
    // As its process would, and as often as it takes for the second one to see it.
    const renewing = (async () => {
      for (; !stop.signal.aborted; await sleep(20)) await first.renew()
    })()
    await using second = await ConsumerLease.take(lease).finally(() => stop.abort())
    await renewing
    expect(second.consumer).toBe('one-2')
    const diagnosis = await pipeline.doctor()
    expect(finding(diagnosis, 'consumer-names')).toMatchObject({
      verdict: 'warn',
      evidence: 'two processes of firehose_group are configured as one: one of them goes by one-2',
    })
  })

  test('12: Redis is full', async ({ pipeline, redisUrl }) => {
    await using redis = await connectRedis({ url: redisUrl })
    await redis.command(['CONFIG', 'SET', 'maxmemory', '1mb'])
    try {
      const diagnosis = await pipeline.doctor()
      expect(wrong(diagnosis)).toContain('store-memory')
      expect(finding(diagnosis, 'store-memory')?.evidence).toMatch(/of 1.0 MiB used/)
    } finally {
      await redis.command(['CONFIG', 'SET', 'maxmemory', '0'])
    }
  })

  test('13: the cursor is beyond what the host has, or before it', async ({ pipeline }) => {
    const key = cursorKey(streams.firehoseLive, pipeline.network.relayUrl)
    await pipeline.store.cursors.set(key, String(pipeline.network.head() + 1_000))
    const ahead = await pipeline.doctor()
    expect(wrong(ahead)).toEqual(['upstreams'])
    expect(finding(ahead, 'upstreams')?.evidence).toContain('beyond its newest event')
    await pipeline.store.cursors.set(key, '1')
    const within = await pipeline.doctor()
    expect(wrong(within)).toEqual([])
    expect(finding(within, 'upstreams')?.evidence).toContain('cursor 1, and it has event')
  })

  test('14: the database is down', async ({ pipeline, databaseUrl }) => {
    await using proxy = await FaultProxy.listen(databaseUrl)
    const database = await openDatabase({ url: proxy.url, connectTimeoutMs: 5_000 })
    await proxy[Symbol.asyncDispose]()
    try {
      const diagnosis = await pipeline.doctor({ database })
      expect(wrong(diagnosis)).toEqual(['database-reachable'])
      expect(diagnosis.checks.some(({ verdict, id }) => verdict === 'unknown' && id === 'gaps')).toBe(true)
    } finally {
      await database[Symbol.asyncDispose]()
    }
  })

  test('15: a clock is off', async ({ pipeline }) => {
    const diagnosis = await pipeline.doctor({ now: () => Date.now() + 310_000 })
    expect(wrong(diagnosis)).toEqual(['clock', 'clock'])
    expect(finding(diagnosis, 'clock')?.evidence).toBe('our clock is 5 minutes ahead of that of the store')
  })
})
