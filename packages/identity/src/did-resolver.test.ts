import { eventually, serve, type LocalServer } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { DidResolver, type DidResolverOptions } from './did-resolver.ts'
import { TemporaryIdentityError } from './errors.ts'
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts'
import { HostLimits } from './host-limits.ts'

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
  return new DidResolver({ fetch, plcUrl: `${server.url}/`, allowPrivateHosts: true, minIntervalMs: 0, ...options })
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

  test('a flood of questions about one DID is asked no faster than allowed (I20)', async () => {
    // When they are sent: how long they take to arrive says nothing.
    const asked: number[] = []
    await using plc = await directory()
    const open = createGuardedFetch({ allowPrivateHosts: true })
    const fetch: GuardedFetch = (url, init) => {
      asked.push(performance.now())
      return open(url, init)
    }
    const dids = resolver(plc, { fetch, minIntervalMs: 200, now: () => performance.now() })
    for (let round = 0; round < 3; round++)
      await Promise.all(Array.from({ length: 100 }, () => dids.resolve(alice, { fresh: true })))
    expect(asked).toHaveLength(3)
    const pauses = asked.slice(1).map((at, index) => at - asked[index]!)
    expect(Math.min(...pauses)).toBeGreaterThan(150)
  })

  test('one that fails is asked no faster either', async () => {
    await using plc = await directory()
    plc.next.status = 500
    const dids = resolver(plc, { minIntervalMs: 200, now: () => performance.now() })
    const started = performance.now()
    for (let round = 0; round < 2; round++) await expect(dids.resolve(alice)).rejects.toThrow(TemporaryIdentityError)
    expect(plc.asked).toHaveLength(2)
    expect(performance.now() - started).toBeGreaterThan(150)
  })

  test('what changes while it is asked is asked again (D7)', async () => {
    const answers: (() => void)[] = []
    await using plc = await serve(({ url }, response) => {
      const name = `a${answers.length + 1}.test`
      answers.push(() => void response.end(JSON.stringify({ id: url?.slice(1), alsoKnownAs: [`at://${name}`] })))
    })
    const dids = resolver(plc)
    const before = handleOf(dids, alice)
    await eventually(() => expect(answers).toHaveLength(1))
    dids.expire(alice)
    const after = handleOf(dids, alice, { fresh: true })
    answers[0]!()
    await eventually(() => expect(answers).toHaveLength(2))
    answers[1]!()
    expect([await before, await after]).toEqual(['a1.test', 'a2.test'])
    expect(await handleOf(dids, alice)).toBe('a2.test')
    expect(plc.asked).toHaveLength(2)
  })

  test('and its answer is not fresh if nobody has asked again', async () => {
    const answers: (() => void)[] = []
    await using plc = await serve(({ url }, response) => {
      answers.push(() => void response.end(JSON.stringify({ id: url?.slice(1) })))
    })
    const dids = resolver(plc)
    const first = dids.resolve(alice)
    await eventually(() => expect(answers).toHaveLength(1))
    dids.expire(alice)
    answers[0]!()
    await first
    const second = dids.resolve(alice)
    await eventually(() => expect(answers).toHaveLength(2))
    answers[1]!()
    expect(await second).toMatchObject({ kind: 'found' })
  })

  test('a new version of an account expires its answer in every process (D7)', async () => {
    await using plc = await directory()
    const versions: Record<string, string> = {}
    const version = (did: string): Promise<string | null> => Promise.resolve(versions[did] ?? null)
    const [one, two] = [resolver(plc, { version }), resolver(plc, { version })]
    expect([await handleOf(one, alice), await handleOf(two, alice)]).toEqual(['a1.test', 'a2.test'])
    expect([await handleOf(one, alice), await handleOf(two, alice)]).toEqual(['a1.test', 'a2.test'])
    versions[alice] = '2026-01-15 12:00:00+00'
    expect([await handleOf(one, alice), await handleOf(two, alice)]).toEqual(['a3.test', 'a4.test'])
    expect([await handleOf(one, alice), await handleOf(two, alice)]).toEqual(['a3.test', 'a4.test'])
  })

  test('while versions cannot be told the network is asked, and what is known used if it is silent', async () => {
    await using plc = await directory()
    const version = (): Promise<string | null> => Promise.reject(new Error('the database is away'))
    const dids = resolver(plc, { version })
    expect([await handleOf(dids, alice), await handleOf(dids, alice)]).toEqual(['a1.test', 'a2.test'])
    plc.next.status = 500
    expect(await handleOf(dids, alice)).toBe('a2.test')
  })

  test('a document of 64 KiB is read (D6)', async () => {
    await using plc = await directory()
    const document = JSON.stringify({ id: alice, alsoKnownAs: ['at://a.test'] })
    plc.next.body = document.padEnd(64 * 1024)
    expect(await handleOf(resolver(plc), alice)).toBe('a.test')
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

  test('a host that never answers affects the DIDs of its domain only (D11)', async () => {
    const asked: string[] = []
    const fetch: GuardedFetch = async (url, init) => {
      const { hostname } = new URL(url)
      asked.push(hostname)
      if (hostname.endsWith('slow.example'))
        return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('over'))))
      return Response.json({ id: `did:web:${hostname}` })
    }
    const dids = new DidResolver({ fetch, limits: new HostLimits({ concurrency: 2 }) })
    for (const name of ['a', 'b']) void dids.resolve(`did:web:${name}.slow.example`).catch(() => undefined)
    await eventually(() => expect(asked).toHaveLength(2))
    for (const name of ['c', 'd'])
      await expect(dids.resolve(`did:web:${name}.slow.example`)).rejects.toMatchObject({ wasAsked: false })
    expect(await dids.resolve('did:web:quick.example')).toMatchObject({ kind: 'found' })
    expect(asked).toEqual(['a.slow.example', 'b.slow.example', 'quick.example'])
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
