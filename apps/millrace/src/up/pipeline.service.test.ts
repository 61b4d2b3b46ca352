import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Pauses, type PauseTarget } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedAccount, type SimulatedNetwork } from '@millrace/dev-network'
import { runAll } from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { hostWithoutScheme, noMeter, silentLogger, sleep } from '@millrace/stream-protocol'
import { eventually as soon, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { joinPipeline, type PipelineOptions } from './pipeline.ts'

const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })
const up: PipelineOptions['up'] = {
  network: 'sim',
  relay: '',
  labelers: [],
  repos: undefined,
  accounts: 0,
  recordsPerAccount: 0,
  seed: 1,
  rate: 0,
  events: 0,
  streams: undefined,
  data: '',
  reset: false,
  exitWhenIdle: false,
  json: false,
  adminPort: 0,
}

interface Running {
  network: SimulatedNetwork
  query<T = Record<string, unknown>>(sql: string, ...values: unknown[]): Promise<T[]>
  /** Why readers do not see an account; undefined when it has no row. */
  hidden(account: SimulatedAccount): Promise<string | null | undefined>
  records(account: SimulatedAccount): Promise<number>
  /** Has something paused, or go on, without waiting for the next look. */
  pause(target: PauseTarget): Promise<void>
  resume(target: PauseTarget): Promise<void>
  /** Entries of live events that wait. */
  waiting(): Promise<number>
  /** Waits until all that the relay has said so far is applied, and nothing is to be asked. */
  settled(): Promise<void>
}

/** The whole pipeline over a simulated network, while `work` lasts. */
async function running(databaseUrl: string, work: (running: Running) => Promise<void>): Promise<void> {
  const data = await mkdtemp(path.join(tmpdir(), 'millrace-pipeline-'))
  const stop = new AbortController()
  const { signal } = stop
  try {
    await using network = await startSimulatedNetwork({ accounts: 8, recordsPerAccount: 6, labels: 0 })
    const location = { url: databaseUrl, logger: silentLogger, signal }
    await using database = await openMigratedDatabase(location)
    await using indexing = await openMigratedDatabase({ ...location, migrates: false, pipeline: true })
    const streams = {
      kind: 'sqlite',
      file: path.join(data, 'streams.db'),
      location: data,
      why: 'it is a test',
    } as const
    await using store = await openStreams(streams, { logger: silentLogger, meter: noMeter, signal })
    const pipeline = await joinPipeline({
      up,
      network: {
        title: 'a test',
        relay: network.relayUrl,
        labelers: [network.labelerUrl],
        plcUrl: network.plcUrl,
        handleResolverUrl: network.handleResolverUrl,
        isPrivate: true,
        traffic: undefined,
        head: () => network.head(),
        isQuiet: () => true,
        [Symbol.asyncDispose]: async () => undefined,
      },
      services: {
        store,
        database,
        indexing,
        background: indexing,
        postgres: { title: '', location: '' },
        [Symbol.asyncDispose]: async () => undefined,
      },
      plcUrl: network.plcUrl,
      handleResolverUrl: network.handleResolverUrl,
      allowPrivateHosts: true,
      logger: silentLogger,
      meter: noMeter,
    })
    const done = runAll(pipeline.loops, signal)
    const query = async <T>(sql: string, ...values: unknown[]) =>
      (await database.pool.query<object & T>(sql, values)).rows as T[]
    const count = async (table: string, did: string): Promise<number> =>
      (await query<{ count: number }>(`select count(*) as count from ${table} where did = $1`, did))[0]!.count
    const idle = async (): Promise<void> => {
      const statuses = await store.status(['firehose_live', 'firehose_backfill', 'repo_backfill', 'label_live'])
      expect(statuses.map(({ length }) => length)).toEqual([0, 0, 0, 0])
      expect([await pipeline.indexers.handles.pending(), await pipeline.indexers.accounts.pending()]).toEqual([0, 0])
    }
    const pauses = new Pauses(database)
    const setting: Running = {
      network,
      query,
      hidden: async ({ did }) =>
        (await query<{ hidden: string | null }>('select "upstreamStatus" as hidden from actor where did = $1', did))[0]
          ?.hidden,
      records: ({ did }) => count('record', did),
      pause: async (target) => {
        await pauses.set({ ...target, reason: 'a test', who: 'me', forMs: null })
        await pipeline.pauses.look()
      },
      resume: async (target) => {
        await pauses.clear(target)
        await pipeline.pauses.look()
      },
      waiting: async () => (await store.status(['firehose_live']))[0]!.length,
      settled: () =>
        eventually(async () => {
          expect(pipeline.ingesters[0]!.status()).toMatchObject({ lastSeq: network.head() })
          await idle()
        }),
    }
    try {
      await eventually(async () => {
        expect((await query('select uri from record')).length).toBe(network.records().length)
        expect(network.relay.connections).toBe(1)
        await idle()
      })
      await work(setting)
    } finally {
      stop.abort()
      await done
    }
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

describe('accounts that come and go', () => {
  pgTest(
    'are hidden and shown, and removed with all they have contributed',
    { timeout: 240_000 },
    async ({ databaseUrl }) => {
      await running(databaseUrl, async ({ network, hidden, records, settled, query }) => {
        const [quiet, moved, barred, gone, ended, unlucky] = network.accounts as SimulatedAccount[] & { length: 8 }
        if (!quiet || !moved || !barred || !gone || !ended || !unlucky) throw new Error('too few accounts')
        const before = await records(quiet)

        await quiet.deactivate()
        await settled()
        expect([await hidden(quiet), await records(quiet)]).toEqual(['deactivated', before])
        await quiet.reactivate()
        await settled()
        expect(await hidden(quiet)).toBeNull()

        // A former PDS says so, and the one that the account is at does not (D9).
        const word = (did: string, status: string) =>
          network.relay.appendMessage('#account', { did, time: new Date().toISOString(), active: false, status })
        word(moved.did, 'deactivated')
        await settled()
        expect(await hidden(moved)).toBeNull()
        // The relay itself does.
        word(barred.did, 'takendown')
        await settled()
        expect(await hidden(barred)).toBe('takendown')

        await gone.remove()
        await settled()
        expect([await hidden(gone), await records(gone)]).toEqual([undefined, 0])

        // A directory that fails is no tombstone, and a tombstone is (D8).
        const identity = (did: string) =>
          network.relay.appendMessage('#identity', { did, time: new Date().toISOString() })
        network.faults.identity(unlucky.did, { type: 'error' }, { times: 1 })
        await network.plc.tombstone(ended.did, new Date().toISOString())
        for (const { did } of [unlucky, ended]) identity(did)
        await settled()
        expect([await hidden(ended), await records(ended)]).toEqual([undefined, 0])
        expect([await hidden(unlucky), await records(unlucky)]).toEqual([null, unlucky.records().length])

        expect(
          await query(`
          select did from profile_agg a where "followsCount" <> (select count(*) from follow where creator = a.did)
            or "followersCount" <> (select count(*) from follow where "subjectDid" = a.did)
            or "postsCount" <> (select count(*) from post where creator = a.did)
          union all
          select uri from post_agg a where "likeCount" <> (select count(*) from "like" where subject = a.uri)
            or "repostCount" <> (select count(*) from repost where subject = a.uri)`),
        ).toEqual([])
      })
    },
  )
})

describe('labels', () => {
  pgTest(
    'are those of the labeler that the host is, signed by it (L6, L7)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await running(databaseUrl, async ({ network, query }) => {
        const [subject, stranger] = network.accounts
        const about = { uri: subject!.did }
        await network.label({ ...about, val: 'good' })
        await network.label({ ...about, val: 'unsigned', signature: 'none' })
        await network.label({ ...about, val: 'forged', signature: 'bad' })
        await network.label({ ...about, val: 'spoofed', src: stranger!.did })
        // Dated in the future, and taken back all the same (L3).
        await network.label({ ...about, val: 'premature', cts: '2099-01-01T00:00:00.000Z' })
        await network.label({ ...about, val: 'premature', neg: true })
        await network.label({ ...about, val: 'last' })
        await eventually(async () =>
          expect(await query('select val from label where val = $1', 'last')).toHaveLength(1),
        )
        expect(await query('select val, neg from label order by val')).toEqual([
          { val: 'good', neg: false },
          { val: 'last', neg: false },
          { val: 'premature', neg: true },
        ])
        expect(await query('select reason from millrace_dead_letter order by reason')).toEqual([
          { reason: 'bad-signature' },
          { reason: 'spoofed-label' },
          { reason: 'unsigned-label' },
        ])
      })
    },
  )
})

describe('what is paused', () => {
  pgTest('stands still, and has lost nothing once it goes on', { timeout: 240_000 }, async ({ databaseUrl }) => {
    await running(databaseUrl, async ({ network, query, settled, pause, resume, waiting }) => {
      const [alice, bob] = network.accounts
      const post = async (): Promise<string> => {
        const record = { text: 'hello', createdAt: new Date().toISOString() }
        return (await alice!.create('app.bsky.feed.post', record)).uri
      }
      const rows = async (table: string, uri: string): Promise<number> =>
        (await query(`select uri from "${table}" where uri = $1`, uri)).length

      const indexer = { kind: 'role', name: 'indexer' } as const
      await pause(indexer)
      let uri = ''
      await eventually(async () => {
        uri = await post()
        await sleep(300)
        expect(await waiting()).toBeGreaterThan(0)
      })
      await resume(indexer)
      await settled()
      expect(await rows('post', uri)).toBe(1)

      const host = { kind: 'host', name: hostWithoutScheme(network.relayUrl) } as const
      await pause(host)
      await eventually(() => expect(network.relay.connections).toBe(0))
      uri = await post()
      await resume(host)
      await settled()
      expect(await rows('post', uri)).toBe(1)

      const likes = { kind: 'collection', name: 'app.bsky.feed.like' } as const
      await pause(likes)
      const subject = { uri, cid: network.records().find((record) => record.uri === uri)!.cid }
      const like = await bob!.create(likes.name, { subject, createdAt: new Date().toISOString() })
      await settled()
      expect([await rows('record', like.uri), await rows('like', like.uri)]).toEqual([1, 0])
      await resume(likes)
      await eventually(async () => expect(await rows('like', like.uri)).toBe(1))
      expect(await query('select "likeCount" as likes from post_agg where uri = $1', uri)).toEqual([{ likes: 1 }])
      await eventually(async () => expect(await query('select did from millrace_dirty')).toEqual([]))
    })
  })
})
