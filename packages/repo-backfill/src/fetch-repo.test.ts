import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { createGuardedFetch } from '@millrace/identity'
import { serve, type LocalServer } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { fetchRepo, type FetchRepoOptions } from './fetch-repo.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const open = createGuardedFetch({ allowPrivateHosts: true })

async function fetchFrom({ url }: LocalServer, options: Partial<FetchRepoOptions> = {}) {
  const parts: Uint8Array[] = []
  const into = { expect: () => undefined, write: (part: Uint8Array) => void parts.push(part) }
  const { host } = await fetchRepo({ host: url, did, fetch: open, into, ...options })
  return { bytes: Buffer.concat(parts), host }
}

describe('fetchRepo', () => {
  test('asks for the repo of the account, and gives its bytes', async () => {
    const queries: string[] = []
    await using host = await serve(({ url }, response) => {
      queries.push(url ?? '')
      response.end('a repo')
    })
    expect(await fetchFrom(host)).toEqual({ bytes: Buffer.from('a repo'), host: host.url })
    expect(queries).toEqual([`/xrpc/com.atproto.sync.getRepo?did=${encodeURIComponent(did)}`])
  })

  test('follows redirects and says who served it (B4)', async () => {
    await using pds = await serve((_, response) => response.end('a repo'))
    await using relay = await serve(({ url }, response) =>
      response.writeHead(302, { location: `${pds.url}${url}` }).end(),
    )
    expect(await fetchFrom(relay)).toEqual({ bytes: Buffer.from('a repo'), host: pds.url })
  })

  test.each([
    { error: 'RepoNotFound', status: 'deleted', code: 400 },
    { error: 'RepoNotFound', status: 'deleted', code: 404 },
    { error: 'RepoDeactivated', status: 'deactivated', code: 400 },
    { error: 'RepoSuspended', status: 'suspended', code: 400 },
    { error: 'RepoTakendown', status: 'takendown', code: 403 },
  ])('$error with status $code means that the account is $status (B5)', async ({ error, status, code }) => {
    await using host = await serve((_, response) =>
      response.writeHead(code).end(JSON.stringify({ error, message: '' })),
    )
    await expect(fetchFrom(host)).rejects.toMatchObject({ name: 'RepoUnavailableError', status, host: host.url, did })
  })

  test.each([408, 425, 429, 500, 502, 503])('status %d is temporary (B5)', async (status) => {
    await using host = await serve((_, response) => response.writeHead(status, { 'retry-after': '20' }).end())
    await expect(fetchFrom(host)).rejects.toMatchObject({
      name: 'TemporaryFetchError',
      host: host.url,
      retryAfterMs: 20_000,
    })
  })

  test.each([
    { status: 400, body: '{"error":"InvalidRequest"}' },
    { status: 401, body: '' },
    { status: 501, body: '{"error":"MethodNotImplemented"}' },
    { status: 404, body: '<html>' },
    { status: 404, body: '{"error":"toString"}' },
    { status: 304, body: '' },
    { status: 404, body: 'x'.repeat(1_000_000) },
  ])('status $status without a word about the account is a refusal (B5)', async ({ status, body }) => {
    await using host = await serve((_, response) => response.writeHead(status).end(body))
    await expect(fetchFrom(host)).rejects.toMatchObject({ name: 'InvalidRepoError', reason: 'refused', host: host.url })
  })

  test('a host that is away, is silent, stops or breaks off is temporary (B5)', async () => {
    await using host = await serve(({ url }, response) => {
      if (url?.includes('silent')) return
      response.writeHead(200, { 'content-length': 100 }).write('half')
      if (url?.includes('broken')) setTimeout(() => response.destroy(), 10)
    })
    const temporary = { name: 'TemporaryFetchError', host: host.url, retryAfterMs: undefined }
    const limits = { headersMs: 30, idleMs: 30 }
    for (const did of ['did:web:silent', 'did:web:stops', 'did:web:broken'])
      await expect(fetchFrom(host, { did, limits })).rejects.toMatchObject(temporary)
    await host[Symbol.asyncDispose]()
    await expect(fetchFrom(host)).rejects.toMatchObject(temporary)
  })

  test('a host that sends too slowly is temporary, and the time that it has waited for us does not count (B6)', async () => {
    const drip = (response: ServerResponse, left: number): void => {
      if (left === 0) response.end()
      else response.write('a', () => setTimeout(() => drip(response, left - 1), 5))
    }
    await using host = await serve((_, response) => drip(response, 400))
    const limits = { slowMs: 300, minBytesPerSecond: 10_000 }
    await expect(fetchFrom(host, { limits })).rejects.toMatchObject({ name: 'TemporaryFetchError', host: host.url })
    await using quick = await serve((_, response) => response.write('a', () => response.end('b')))
    const beforePart = (): Promise<void> => wait(350)
    expect((await fetchFrom(quick, { limits, beforePart })).bytes).toHaveLength(2)
  })

  test('a redirect to a host that is away is a failure of that host', async () => {
    await using pds = await serve(() => undefined)
    await using relay = await serve((_, response) => response.writeHead(302, { location: pds.url }).end())
    await pds[Symbol.asyncDispose]()
    await expect(fetchFrom(relay)).rejects.toMatchObject({ name: 'TemporaryFetchError', host: pds.url })
  })

  test('a repo of exactly the limit passes, one byte more does not, compressed or not (B6)', async () => {
    await using host = await serve(({ url }, response) => {
      const zip = url?.includes('zip')
      const body = Buffer.alloc(1000)
      response.writeHead(200, zip ? { 'content-encoding': 'gzip' } : {})
      if (!zip) response.flushHeaders()
      response.end(zip ? gzipSync(body) : body)
    })
    for (const did of ['did:web:plain', 'did:web:zip']) {
      expect((await fetchFrom(host, { did, limits: { maxBytes: 1000 } })).bytes).toHaveLength(1000)
      await expect(fetchFrom(host, { did, limits: { maxBytes: 999 } })).rejects.toMatchObject({ reason: 'too-large' })
    }
  })

  test('a repo that says it is too large is not downloaded', async () => {
    await using host = await serve((_, response) => response.writeHead(200, { 'content-length': 1e9 }).write('a'))
    const asked: number[] = []
    const beforePart = (bytes: number): Promise<void> => Promise.resolve(void asked.push(bytes))
    await expect(fetchFrom(host, { beforePart })).rejects.toMatchObject({ reason: 'too-large' })
    expect(asked).toEqual([])
  })

  test('what takes it may refuse it at any part, is told its size, and the host is left (B6)', async () => {
    await using host = await serve((_, response) => response.writeHead(200, { 'content-length': 1000 }).write('a part'))
    const told: unknown[] = []
    const into = {
      expect: (bytes: number) => void told.push(bytes),
      write: (part: Uint8Array) => {
        told.push(String(Buffer.from(part)))
        throw new RangeError('no')
      },
    }
    await expect(fetchFrom(host, { into })).rejects.toThrow('no')
    expect(told).toEqual([1000, 'a part'])
  })

  test('hosts that may not be asked are refused', async () => {
    await using host = await serve((_, response) => response.end())
    await expect(fetchFrom(host, { fetch: createGuardedFetch() })).rejects.toMatchObject({ reason: 'blocked-host' })
    await expect(fetchFrom(host, { host: 'nowhere' })).rejects.toMatchObject({ reason: 'refused' })
    expect(host.asked).toEqual([])
  })

  test('aborting ends it with the reason of the signal', async () => {
    await using host = await serve((_, response) => void response.write('a'))
    const stop = new AbortController()
    const reason = new Error('enough')
    const beforePart = (): Promise<void> => Promise.resolve(stop.abort(reason))
    await expect(fetchFrom(host, { signal: stop.signal, beforePart })).rejects.toBe(reason)
  })
})
