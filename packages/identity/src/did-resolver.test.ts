import { describe, expect, test } from 'vitest'
import { DidResolver, type DidResolverOptions } from './did-resolver.ts'
import { TemporaryIdentityError } from './errors.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { serve, type LocalServer } from './testing/serve.ts'

const alice = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const bob = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const absent = { kind: 'absent', tombstoned: false }
const hour = 3_600_000

/** What the directory answers next; `handle` counts up, so that answers can be told apart. */
interface Directory {
  status: number
  body?: string
  headers?: Record<string, string>
}

async function directory(): Promise<LocalServer & { next: Directory }> {
  const next: Directory = { status: 200 }
  let answers = 0
  const server = await serve(({ url }, response) => {
    const id = decodeURIComponent(url?.slice(1) ?? '')
    const body = next.body ?? JSON.stringify({ id, alsoKnownAs: [`at://a${++answers}.test`] })
    response.writeHead(next.status, next.headers).end(body)
  })
  return Object.assign(server, { next })
}

function resolver(server: LocalServer, options: Partial<DidResolverOptions> = {}): DidResolver {
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  return new DidResolver({ fetch, plcUrl: `${server.url}/`, allowPrivateHosts: true, ...options })
}

const handleOf = async (dids: DidResolver, did: string, options?: { fresh: boolean }): Promise<string | undefined> => {
  const resolution = await dids.resolve(did, options)
  return resolution.kind === 'found' ? resolution.identity.handle : resolution.kind
}

describe('DidResolver', () => {
  test('finds a did:plc in the directory', async () => {
    await using plc = await directory()
    const resolution = await resolver(plc).resolve(alice)
    expect(resolution).toMatchObject({ kind: 'found', identity: { did: alice, handle: 'a1.test' } })
    expect(plc.asked).toEqual([`/${alice}`])
  })

  test.each([
    { name: 'an unknown DID is absent', next: { status: 404 }, tombstoned: false },
    { name: 'a tombstoned DID is gone (D8)', next: { status: 410 }, tombstoned: true },
    {
      name: 'a document beyond 64 KiB is none (D6)',
      next: { status: 200, body: ' '.repeat(64 * 1024 + 1) },
      tombstoned: false,
    },
  ])('$name', async ({ next, tombstoned }) => {
    await using plc = await directory()
    Object.assign(plc.next, next)
    expect(await resolver(plc).resolve(alice)).toEqual({ kind: 'absent', tombstoned })
  })

  test.each([
    { name: 'status 500', next: { status: 500 } },
    { name: 'status 429', next: { status: 429, headers: { 'retry-after': '7' } }, retryAfterMs: 7000 },
    { name: 'status 403', next: { status: 403 } },
    { name: 'a page instead of a document', next: { status: 200, body: '<html>' } },
    { name: 'the document of another', next: { status: 200, body: JSON.stringify({ id: bob }) } },
  ])('$name is temporary, and says nothing about the DID (D1)', async ({ next, retryAfterMs }) => {
    await using plc = await directory()
    Object.assign(plc.next, next)
    const error = await resolver(plc)
      .resolve(alice)
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TemporaryIdentityError)
    expect(error).toMatchObject({ host: plc.url, retryAfterMs })
  })

  test('a directory that is away is temporary (D8)', async () => {
    await using plc = await directory()
    await plc[Symbol.asyncDispose]()
    await expect(resolver(plc).resolve(alice)).rejects.toMatchObject({ name: 'TemporaryIdentityError', host: plc.url })
  })

  test.each(['did:plc:short', 'did:example:123', 'did:web:a/b', 'did:web:user@host', 'not a did'])(
    '%s is absent, without asking',
    async (did) => {
      await using plc = await directory()
      expect(await resolver(plc).resolve(did)).toEqual(absent)
      expect(plc.asked).toEqual([])
    },
  )

  test('simultaneous questions are asked once (D4)', async () => {
    await using plc = await directory()
    const dids = resolver(plc)
    const handles = await Promise.all([
      handleOf(dids, alice),
      handleOf(dids, alice),
      handleOf(dids, alice, { fresh: true }),
    ])
    expect(handles).toEqual(['a1.test', 'a1.test', 'a1.test'])
    expect(plc.asked).toHaveLength(1)
  })

  test('an answer is fresh for 6 hours, then asked again, and usable for 7 days while asking fails (D7)', async () => {
    await using plc = await directory()
    let now = 0
    const dids = resolver(plc, { now: () => now })
    expect(await handleOf(dids, alice)).toBe('a1.test')
    now = 6 * hour - 1
    expect(await handleOf(dids, alice)).toBe('a1.test')
    now = 6 * hour
    expect(await handleOf(dids, alice)).toBe('a2.test')
    plc.next.status = 500
    now += 7 * 24 * hour - 1
    expect(await handleOf(dids, alice)).toBe('a2.test')
    expect(dids.peek(alice)?.handle).toBe('a2.test')
    await expect(dids.resolve(alice, { fresh: true })).rejects.toThrow(TemporaryIdentityError)
    now += 1
    expect(dids.peek(alice)).toBeUndefined()
    await expect(dids.resolve(alice)).rejects.toThrow(TemporaryIdentityError)
  })

  test('a fresh question passes the cache by, and its answer is kept (D7)', async () => {
    await using plc = await directory()
    const dids = resolver(plc)
    await dids.resolve(alice)
    expect(await handleOf(dids, alice, { fresh: true })).toBe('a2.test')
    expect(await handleOf(dids, alice)).toBe('a2.test')
  })

  test('an expired answer is asked again, and usable until then', async () => {
    await using plc = await directory()
    const dids = resolver(plc)
    await dids.resolve(alice)
    dids.expire(alice)
    expect(dids.peek(alice)?.handle).toBe('a1.test')
    expect(await handleOf(dids, alice)).toBe('a2.test')
  })

  test('absence is remembered for minutes only (D4)', async () => {
    await using plc = await directory()
    let now = 0
    const dids = resolver(plc, { now: () => now })
    plc.next.status = 404
    await dids.resolve(alice)
    plc.next.status = 200
    now = 2 * 60_000
    expect(await dids.resolve(alice)).toEqual(absent)
    now = 8 * 60_000
    expect(await handleOf(dids, alice)).toBe('a2.test')
  })

  test('the longest unused answers go first when the cache is full', async () => {
    await using plc = await directory()
    const dids = resolver(plc, { maxEntries: 2 })
    const carol = 'did:plc:cccccccccccccccccccccccc'
    await dids.resolve(alice)
    await dids.resolve(bob)
    await dids.resolve(alice)
    await dids.resolve(carol)
    expect([dids.peek(alice)?.did, dids.peek(bob)?.did, dids.peek(carol)?.did]).toEqual([alice, undefined, carol])
  })
})

describe('did:web', () => {
  const web = (server: LocalServer): string => `did:web:localhost%3A${server.port}`

  test('is asked at its own host', async () => {
    await using host = await serve((_, response) => response.end(JSON.stringify({ id: web(host) })))
    expect(await resolver(host).resolve(web(host))).toMatchObject({ kind: 'found', identity: { did: web(host) } })
    expect(host.asked).toEqual(['/.well-known/did.json'])
  })

  test.each([
    { name: 'a page that is no document', status: 200, body: '<html>' },
    { name: 'the document of another', status: 200, body: '{"id":"did:web:example.com"}' },
    { name: 'nothing', status: 404, body: '' },
  ])('is absent when its host serves $name', async ({ status, body }) => {
    await using host = await serve((_, response) => response.writeHead(status).end(body))
    expect(await resolver(host).resolve(web(host))).toEqual(absent)
  })

  test('goes through the guard, and has no port outside of private networks (D11)', async () => {
    await using host = await serve((_, response) => response.end())
    const dids = new DidResolver({ fetch: createGuardedFetch(), plcUrl: host.url })
    expect(await dids.resolve(web(host))).toEqual(absent)
    expect(await dids.resolve('did:web:127.0.0.1')).toEqual(absent)
    expect(await dids.resolve('did:web:localhost')).toEqual(absent)
    expect(host.asked).toEqual([])
  })
})
