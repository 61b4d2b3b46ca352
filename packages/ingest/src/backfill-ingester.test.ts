import { backfillEventCodec, INGESTER_DONE, streams, type BackfillEvent } from '@millrace/stream-protocol'
import { createLogSpy, eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { BackfillIngester, type BackfillIngesterOptions } from './backfill-ingester.ts'
import { aWhile, createTestMeter, openTestStore, running, TestLedger } from './test-support/stores.ts'

const openStore = () => openTestStore<BackfillEvent>(streams.repoBackfill, backfillEventCodec)
const quick: Partial<BackfillIngesterOptions> = { backoff: { minMs: 2, maxMs: 5 } }
const key = 'repo_backfill:cursor:relay.test'
const host = 'https://relay.test'
const did = (n: number) => `did:plc:${String(n).padStart(24, 'a')}`
const row = (n: number, more: object = {}) => ({ did: did(n), head: 'bafyreib', rev: '3zzzzzzzzzzz2', ...more })
const event = (n: number, more: object = {}) => ({ did: did(n), host, rev: '3zzzzzzzzzzz2', ...more })
const page = (body: object, init?: ResponseInit) => new Response(JSON.stringify(body), init)

/** Answers with one page after another; the last one for ever. Remembers what was asked. */
function pages(...answers: (() => Response | Promise<Response>)[]) {
  const asked: (string | null)[] = []
  const urls: URL[] = []
  const fetch = async (input: unknown): Promise<Response> => {
    const url = new URL(input as URL)
    urls.push(url)
    const answer = answers[Math.min(asked.push(url.searchParams.get('cursor')), answers.length) - 1]
    return (await answer?.()) ?? Response.error()
  }
  return { fetch, asked, urls }
}

describe('BackfillIngester', () => {
  test('lists page by page with cursors as they come, and is done when a page has none (B1)', async () => {
    await using store = await openStore()
    const { fetch, asked, urls } = pages(
      () => page({ repos: [row(1), row(2)], cursor: 'opaque::2' }),
      () => page({ repos: [row(3)], cursor: 'opaque::3' }),
      () => page({ repos: [row(4)] }),
    )
    const ingester = new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })
    await running(ingester).done
    expect(store.events).toEqual([event(1), event(2), event(3), event(4)])
    expect(asked).toEqual([null, 'opaque::2', 'opaque::3'])
    expect(`${urls[0]}`).toBe(`${host}/xrpc/com.atproto.sync.listRepos?limit=1000`)
    expect(await store.cursors.get(key)).toBe(INGESTER_DONE)
    expect(ingester.status()).toEqual({
      host: 'relay.test',
      state: 'done',
      cursor: INGESTER_DONE,
      pages: 3,
      repos: 4,
      failures: 0,
    })
  })

  test('lists those that have records of collections, one after the other, and goes on in the middle (B1)', async () => {
    await using store = await openStore()
    const { fetch, urls } = pages(
      () => page({ repos: [{ did: did(1) }], cursor: 'a2' }),
      () => page({ repos: [{ did: did(2) }] }),
      () => page({ repos: [{ did: did(2) }], cursor: 'b2' }),
      () => page({ repos: [{ did: did(3) }] }),
    )
    const collections = ['app.bsky.graph.follow', 'xyz.statusphere.status']
    const list = (maxRepos: number) =>
      running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, collections, maxRepos })).done
    await list(1)
    expect(await store.cursors.get(key)).toBe('by-collection app.bsky.graph.follow a2')
    await list(1)
    expect(await store.cursors.get(key)).toBe('by-collection xyz.statusphere.status ')
    await list(1_000)
    expect(store.events).toEqual([1, 2, 2, 3].map((n) => event(n, { rev: '' })))
    expect(urls.map(({ pathname, search }) => pathname + search)).toEqual([
      '/xrpc/com.atproto.sync.listReposByCollection?collection=app.bsky.graph.follow&limit=1',
      '/xrpc/com.atproto.sync.listReposByCollection?collection=app.bsky.graph.follow&limit=1&cursor=a2',
      '/xrpc/com.atproto.sync.listReposByCollection?collection=xyz.statusphere.status&limit=1000',
      '/xrpc/com.atproto.sync.listReposByCollection?collection=xyz.statusphere.status&limit=999&cursor=b2',
    ])
    expect(await store.cursors.get(key)).toBe(INGESTER_DONE)
  })

  test('an empty cursor ends the list, and an empty list is one', async () => {
    await using store = await openStore()
    const { fetch } = pages(() => page({ repos: [], cursor: '' }))
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })).done
    expect(await store.cursors.get(key)).toBe(INGESTER_DONE)
    expect(store.events).toEqual([])
  })

  test('goes on from the stored cursor, and asks nothing once it is done', async () => {
    await using store = await openStore()
    await store.cursors.set(key, 'opaque::2')
    const { fetch, asked } = pages(() => page({ repos: [row(3)] }))
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })).done
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })).done
    expect(asked).toEqual(['opaque::2'])
    expect(store.events).toEqual([event(3)])
  })

  test.each([
    { name: 'that is refused', answer: () => page({}, { status: 500 }) },
    { name: 'that is no JSON', answer: () => new Response('<html>') },
    { name: 'that has no list', answer: () => page({ cursor: 'x' }) },
    { name: 'that cannot be reached', answer: () => Promise.reject(new TypeError('fetch failed')) },
    { name: 'that leads to itself', answer: () => page({ repos: [row(9)], cursor: 'opaque::1' }) },
    { name: 'that never ends', answer: () => new Response(new Uint8Array(16_000_001)) },
  ])('a page $name is asked for again, never left out (B1)', async ({ answer }) => {
    await using store = await openStore()
    await store.cursors.set(key, 'opaque::1')
    const { fetch, asked } = pages(answer, answer, () => page({ repos: [row(2)] }))
    const meter = createTestMeter()
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, meter })).done
    expect(asked).toEqual(['opaque::1', 'opaque::1', 'opaque::1'])
    expect(store.events).toEqual([event(2)])
    expect(meter.read('millrace_list_repos_failures_total')).toBe(2)
    expect(meter.read('millrace_list_repos_repos_total')).toBe(1)
  })

  test('waits as long as Retry-After says', async () => {
    await using store = await openStore()
    const logger = createLogSpy()
    const { fetch } = pages(
      () => page({}, { status: 429, headers: { 'retry-after': '1' } }),
      () => page({ repos: [] }),
    )
    const ingester = new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, logger })
    await using loop = running(ingester)
    await eventually(() => expect(ingester.status()).toMatchObject({ state: 'waiting', failures: 1 }))
    await loop.done
    expect(logger.entries.find(({ level }) => level === 'warn')?.fields['delayMs']).toBe(1_000)
  })

  test('a page that takes too long is given up, and asked for again', async () => {
    await using store = await openStore()
    let attempts = 0
    const fetch = (_input: unknown, { signal }: { signal: AbortSignal }) =>
      attempts++ === 0
        ? new Promise<Response>((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          )
        : Promise.resolve(page({ repos: [row(1)] }))
    const options = { ...quick, fetch: fetch as typeof globalThis.fetch, timeoutMs: 20 }
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...options })).done
    expect(store.events).toEqual([event(1)])
  })

  test('inactive repos go along with their status (B3)', async () => {
    await using store = await openStore()
    const { fetch } = pages(() =>
      page({ repos: [row(1, { active: false, status: 'takendown' }), row(2, { active: true })] }),
    )
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })).done
    expect(store.events).toEqual([event(1, { active: false, status: 'takendown' }), event(2, { active: true })])
  })

  test('rows that are none are kept aside, the others stay (G1, G4)', async () => {
    await using store = await openStore()
    const ledger = new TestLedger()
    const { fetch } = pages(() => page({ repos: [row(1), { did: did(2) }, null, { ...row(3), did: 'alice' }, row(4)] }))
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, ledger })).done
    expect(store.events).toEqual([event(1), event(4)])
    expect(ledger.deadLetters).toMatchObject([
      { stream: 'repo_backfill', reason: 'bad-row', did: did(2), payload: JSON.stringify({ did: did(2) }) },
      { payload: 'null' },
      { payload: JSON.stringify({ ...row(3), did: 'alice' }) },
    ])
    expect(ledger.dirty).toMatchObject([{ did: did(2), host: 'relay.test' }])
  })

  test('when another writer moved the cursor, writes nothing and goes on from there (I1)', async () => {
    await using store = await openStore()
    store.before = (attempt) => (attempt === 0 ? store.cursors.set(key, 'opaque::7') : undefined)
    const { fetch, asked } = pages(
      () => page({ repos: [row(1)], cursor: 'opaque::1' }),
      () => page({ repos: [row(8)] }),
    )
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch })).done
    expect(asked).toEqual([null, 'opaque::7'])
    expect(store.events).toEqual([event(8)])
  })

  test('with `maxRepos` lists so many repos and is done for now; the next process goes on', async () => {
    await using store = await openStore()
    const { fetch, asked, urls } = pages(
      () => page({ repos: [row(1), row(2)], cursor: 'opaque::2' }),
      () => page({ repos: [row(3)], cursor: 'opaque::3' }),
      () => page({ repos: [row(4)] }),
    )
    const options = { ...store, host: 'relay.test', ...quick, fetch, pageLimit: 2 }
    const first = new BackfillIngester({ ...options, maxRepos: 3 })
    await running(first).done
    expect(store.events).toEqual([event(1), event(2), event(3)])
    expect(urls.map((url) => url.searchParams.get('limit'))).toEqual(['2', '1'])
    expect(first.status()).toMatchObject({ state: 'done', repos: 3, cursor: 'opaque::3' })
    // What was not listed is still to be listed.
    expect(await store.cursors.get(key)).toBe('opaque::3')

    await running(new BackfillIngester(options)).done
    expect(asked).toEqual([null, 'opaque::2', 'opaque::3'])
    expect(store.events.at(-1)).toEqual(event(4))
    expect(await store.cursors.get(key)).toBe(INGESTER_DONE)
  })

  test('a list that ends before `maxRepos` is done for good', async () => {
    await using store = await openStore()
    const { fetch } = pages(() => page({ repos: [row(1)] }))
    await running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, maxRepos: 5 })).done
    expect(await store.cursors.get(key)).toBe(INGESTER_DONE)
  })

  test('asks for nothing before it is `ready`: what is written in between must be in the firehose', async () => {
    await using store = await openStore()
    const { fetch, asked } = pages(() => page({ repos: [row(1)] }))
    const { promise, resolve } = Promise.withResolvers<void>()
    const ready = () => promise
    const ingester = new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, ready })
    await using loop = running(ingester)
    await aWhile()
    expect(asked).toEqual([])
    expect(ingester.status()).toMatchObject({ state: 'waiting', reason: 'not ready' })
    resolve()
    await loop.done
    expect(store.events).toEqual([event(1)])
  })

  test('stops while it waits to be `ready`', async () => {
    await using store = await openStore()
    const { fetch, asked } = pages(() => page({ repos: [row(1)] }))
    const ready = (signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    {
      await using _ = running(new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, ready }))
      await aWhile()
    }
    expect(asked).toEqual([])
  })

  test('fails when what it has to wait for fails', async () => {
    await using store = await openStore()
    const { fetch, asked } = pages(() => page({ repos: [row(1)] }))
    const failure = new Error('there is no firehose')
    const ready = () => Promise.reject(failure)
    const ingester = new BackfillIngester({ ...store, host: 'relay.test', ...quick, fetch, ready })
    await expect(ingester.run(new AbortController().signal)).rejects.toBe(failure)
    expect(asked).toEqual([])
  })

  test('stops while it waits for a page', async () => {
    await using store = await openStore()
    const fetch = (_input: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<Response>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      )
    const ingester = new BackfillIngester({ ...store, host: 'relay.test', fetch: fetch as typeof globalThis.fetch })
    {
      await using _ = running(ingester)
      await eventually(() => expect(ingester.status().state).toBe('listing'))
    }
    expect(await store.cursors.get(key)).toBeNull()
  })
})
