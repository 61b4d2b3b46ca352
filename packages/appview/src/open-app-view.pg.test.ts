import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { definePluginSet, defineRecordPlugin, recordType } from '@millrace/indexing'
import { eventually, pgTest } from '@millrace/testing'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import type { AppViewStatus } from './join-pipeline.ts'
import { openAppView, type AppView } from './open-app-view.ts'

const noteLexicon = {
  lexicon: 1,
  id: 'com.example.note',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
    },
  },
} as const

const notes = definePluginSet({
  name: 'com.example.notes',
  plugins: [
    defineRecordPlugin({
      collection: recordType(noteLexicon),
      table: 'note',
      toRow: ({ uri, cid, did, record, indexedAt }) => ({ uri, cid, creator: did, text: record.text, indexedAt }),
    }),
  ],
  migrations: [
    {
      name: '0001-note',
      sql: `create table note (uri text primary key, cid text not null, creator text not null, text text not null, "indexedAt" text not null)`,
    },
  ],
})

/** Runs an AppView over a folder and a database for as long as `work` takes. */
async function running(
  options: { network: SimulatedNetwork; databaseUrl: string; folder: string },
  work: (appview: AppView, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { relayUrl: relay, plcUrl, handleResolverUrl } = options.network
  await using appview = await openAppView({
    ...options,
    network: { relay, plcUrl, handleResolverUrl, allowPrivateHosts: true },
    set: notes,
    schema: 'notes',
  })
  const stop = new AbortController()
  const run = appview.run(stop.signal)
  try {
    await work(appview, stop.signal)
  } finally {
    stop.abort()
    await run
  }
}

pgTest(
  'an AppView has the records of its collection, of those that had some and of those that come to it, also after a pause (I25)',
  { timeout: 90_000 },
  async ({ databaseUrl }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-appview-'))
    try {
      await using network = await startSimulatedNetwork({
        accounts: 6,
        recordsPerAccount: 5,
        labels: 0,
        time: 'real',
      })
      const write = (n: number, text: string) => network.account(n).create(noteLexicon.id, { text })
      await write(0, 'first')
      await write(1, 'second')
      const options = { network, databaseUrl, folder }
      const texts = async ({ database }: AppView): Promise<string[]> =>
        (await database.pool.query<{ text: string }>('select text from note order by text')).rows.map(
          ({ text }) => text,
        )

      await running(options, async (appview, signal) => {
        await appview.indexed(signal)
        expect(await texts(appview)).toEqual(['first', 'second'])
        await write(0, 'third')
        await network.write(5)
        await appview.indexed(signal, network.head())
        expect(await texts(appview)).toEqual(['first', 'second', 'third'])
        expect(await appview.status()).toMatchObject({
          isListed: true,
          reposListed: 2,
          reposFetched: 2,
          waiting: { repos: 0, events: 0, handles: 0 },
          deadLetters: {},
        } satisfies Partial<AppViewStatus>)
      })
      await write(1, 'while it was away')
      await network.account(0).deactivate()
      await running(options, async (appview, signal) => {
        await appview.indexed(signal, network.head())
        expect(await texts(appview)).toEqual(['first', 'second', 'third', 'while it was away'])
        const { rows } = await appview.database.pool.query<{ did: string; hidden: string | null }>(
          'select did, "upstreamStatus" as hidden from actor order by hidden nulls first',
        )
        expect(rows).toEqual([
          { did: network.account(1).did, hidden: null },
          { did: network.account(0).did, hidden: 'deactivated' },
        ])
      })
      // Nobody else's repo was asked for.
      expect(network.requests['com.atproto.sync.getRepo']).toBe(2)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)

pgTest(
  'a PDS that has refused a repo is not waited for to tell how an account stands (B5, D11)',
  { timeout: 90_000 },
  async ({ databaseUrl }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-appview-'))
    try {
      await using network = await startSimulatedNetwork({ accounts: 2, recordsPerAccount: 1, labels: 0, time: 'real' })
      const account = network.account(0)
      await account.create(noteLexicon.id, { text: 'first' })
      network.faults.getRepo(account.did, { type: 'throttled', retryAfterSeconds: 3_600 })
      await running({ network, databaseUrl, folder }, async ({ database }) => {
        await eventually(() => expect(network.requests['com.atproto.sync.getRepo']).toBe(1))
        await account.deactivate()
        // It is put off, until the host may be asked again.
        await eventually(async () => {
          const { rows } = await database.pool.query<{ error: string | null; waits: boolean }>(
            `select last_error as error, next_at > now() + interval '50 minutes' as waits from millrace_account`,
          )
          expect(rows).toEqual([{ error: expect.stringContaining('is not to be asked for'), waits: true }])
        })
      })
      expect(network.requests['com.atproto.sync.getRepoStatus']).toBeUndefined()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)
