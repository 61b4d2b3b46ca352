import { serve, type LocalServer } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { TemporaryIdentityError } from './errors.ts'
import { createGuardedFetch, type GuardedFetch } from './guarded-fetch.ts'
import { HandleResolver, verifiedHandle } from './handle-resolver.ts'
import { HostLimits } from './host-limits.ts'

const alice = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const bob = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const open = createGuardedFetch({ allowPrivateHosts: true })

/** The internet as seen from here: every https host is one server on loopback. */
const toward =
  (server: LocalServer): GuardedFetch =>
  (url, init) =>
    open(new URL(new URL(url).pathname, server.url), init)

const noHost: GuardedFetch = () => Promise.reject(new Error('the host must not be asked'))
const txt =
  (...records: string[][]) =>
  () =>
    Promise.resolve(records)
const dnsError = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }))

describe('HandleResolver', () => {
  test('DNS goes first, and is asked for the name in lower case', async () => {
    const asked: string[] = []
    const resolveTxt = (name: string): Promise<string[][]> => {
      asked.push(name)
      return Promise.resolve([['v=spf1'], ['did=', alice]])
    }
    const handles = new HandleResolver({ fetch: noHost, resolveTxt })
    expect(await handles.resolve('Alice.Example.com')).toBe(alice)
    expect(asked).toEqual(['_atproto.alice.example.com'])
  })

  test.each([
    { name: 'two records contradict each other', resolveTxt: txt([`did=${alice}`], [`did=${bob}`]) },
    { name: 'the record is no DID', resolveTxt: txt(['did=alice']) },
  ])('$name: there is no such handle, and the host is not asked', async ({ resolveTxt }) => {
    expect(await new HandleResolver({ fetch: noHost, resolveTxt }).resolve('alice.example.com')).toBeNull()
  })

  test.each([
    'alice',
    'alice.example.',
    'al ice.example.com',
    'alice.local',
    'alice.onion',
    `${'a'.repeat(64)}.com`,
    '',
  ])('%j is no handle, and nobody is asked', async (handle) => {
    const handles = new HandleResolver({ fetch: noHost, resolveTxt: dnsError('ASKED') })
    expect(await handles.resolve(handle)).toBeNull()
  })

  test.each([
    { name: 'DNS has no record', resolveTxt: dnsError('ENODATA') },
    { name: 'DNS has no such name', resolveTxt: dnsError('ENOTFOUND') },
    { name: 'DNS has other records only', resolveTxt: txt(['v=spf1']) },
    { name: 'the name is too long for a record', resolveTxt: dnsError('EBADNAME') },
  ])('the host is asked when $name', async ({ resolveTxt }) => {
    await using host = await serve((_, response) => response.end(`${alice}\n`))
    const handles = new HandleResolver({ fetch: toward(host), resolveTxt })
    expect(await handles.resolve('alice.example.com')).toBe(alice)
    expect(host.asked).toEqual(['/.well-known/atproto-did'])
  })

  test.each([
    { name: 'the host has none', status: 404, body: '' },
    { name: 'the host forbids it', status: 403, body: alice },
    { name: 'the host says something else', status: 200, body: '<html>' },
    { name: 'the host says more than 2 KiB', status: 200, body: `${alice}\n${' '.repeat(2048)}` },
  ])('$name: there is no such handle', async ({ status, body }) => {
    await using host = await serve((_, response) => response.writeHead(status).end(body))
    const handles = new HandleResolver({ fetch: toward(host), resolveTxt: dnsError('ENODATA') })
    expect(await handles.resolve('alice.example.com')).toBeNull()
  })

  test('a handle that points inside is none', async () => {
    const handles = new HandleResolver({ fetch: createGuardedFetch(), resolveTxt: dnsError('ENODATA') })
    expect(await handles.resolve('127.0.0.1.example')).toBeNull()
  })

  test('silence of DNS is temporary, even if the host would answer: DNS might contradict it (D1)', async () => {
    const handles = new HandleResolver({ fetch: noHost, resolveTxt: dnsError('ETIMEOUT') })
    await expect(handles.resolve('alice.example.com')).rejects.toMatchObject({
      name: 'TemporaryIdentityError',
      host: 'dns',
    })
  })

  test.each([500, 503, 429])('status %d of the host is temporary (D1)', async (status) => {
    await using host = await serve((_, response) => response.writeHead(status, { 'retry-after': '3' }).end())
    const handles = new HandleResolver({ fetch: toward(host), resolveTxt: dnsError('ENODATA') })
    await expect(handles.resolve('alice.example.com')).rejects.toMatchObject({
      name: 'TemporaryIdentityError',
      retryAfterMs: 3000,
    })
  })

  test('a host that is away is temporary (D1)', async () => {
    await using host = await serve(() => undefined)
    await host[Symbol.asyncDispose]()
    const handles = new HandleResolver({ fetch: toward(host), resolveTxt: dnsError('ENODATA') })
    await expect(handles.resolve('alice.example.com')).rejects.toThrow(TemporaryIdentityError)
  })

  test('the names of one domain share its limits (D4)', async () => {
    const asked: string[] = []
    const resolveTxt = (name: string): Promise<string[][]> => {
      asked.push(name)
      return Promise.resolve([[`did=${alice}`]])
    }
    const handles = new HandleResolver({ fetch: noHost, resolveTxt, limits: new HostLimits({ perSecond: 1 }) })
    expect(await handles.resolve('alice.example.com')).toBe(alice)
    await expect(handles.resolve('bob.example.com')).rejects.toMatchObject({ wasAsked: false, host: 'example.com' })
    expect(await handles.resolve('alice.example.org')).toBe(alice)
    expect(asked).toEqual(['_atproto.alice.example.com', '_atproto.alice.example.org'])
  })

  test('they do so as well where a resolver is asked, which has no limits of its own', async () => {
    await using host = await serve((_, response) => response.end(JSON.stringify({ did: alice })))
    const limits = new HostLimits({ perSecond: 1 })
    const handles = new HandleResolver({ fetch: open, resolverUrl: host.url, limits })
    expect(await handles.resolve('alice.example.com')).toBe(alice)
    expect(await handles.resolve('alice.example.org')).toBe(alice)
    await expect(handles.resolve('bob.example.org')).rejects.toMatchObject({ wasAsked: false, host: 'example.org' })
    expect(host.asked).toHaveLength(2)
  })

  test('a resolver that is away is left alone, whatever the handle', async () => {
    await using host = await serve(() => undefined)
    await host[Symbol.asyncDispose]()
    const handles = new HandleResolver({ fetch: open, resolverUrl: host.url })
    await expect(handles.resolve('alice.example.com')).rejects.toMatchObject({ wasAsked: true })
    await expect(handles.resolve('bob.example.org')).rejects.toMatchObject({ wasAsked: false, host: host.url })
  })

  test('a resolver is asked instead of all this, where there is one', async () => {
    await using host = await serve(({ url }, response) => {
      const handle = new URL(url ?? '', 'http://x').searchParams.get('handle')
      if (handle === 'alice.test') response.end(JSON.stringify({ did: alice }))
      else if (handle === 'broken.test') response.writeHead(502).end()
      else response.writeHead(400).end('{"error":"InvalidRequest","message":"Unable to resolve handle"}')
    })
    const handles = new HandleResolver({ fetch: open, resolverUrl: host.url, resolveTxt: dnsError('ASKED') })
    expect(await handles.resolve('Alice.test')).toBe(alice)
    expect(await handles.resolve('bob.test')).toBeNull()
    await expect(handles.resolve('broken.test')).rejects.toThrow(TemporaryIdentityError)
  })
})

describe('verifiedHandle', () => {
  const handles = new HandleResolver({ fetch: noHost, resolveTxt: txt([`did=${alice}`]) })

  test.each([
    {
      name: 'both directions agree',
      identity: { did: alice, handle: 'alice.example.com' },
      handle: 'alice.example.com',
    },
    { name: 'the handle points to another', identity: { did: bob, handle: 'alice.example.com' }, handle: null },
    { name: 'the document names none', identity: { did: alice }, handle: null },
    {
      name: 'it is kept in lower case',
      identity: { did: alice, handle: 'Alice.Example.com' },
      handle: 'alice.example.com',
    },
  ])('$name: $handle (D2)', async ({ identity, handle }) => {
    expect(await verifiedHandle(identity, handles)).toBe(handle)
  })
})
