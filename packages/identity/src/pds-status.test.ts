import { describe, expect, test } from 'vitest'
import type { DidResolution } from './did-resolver.ts'
import { DidResolver } from './did-resolver.ts'
import { TemporaryIdentityError } from './errors.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { HostLimits } from './host-limits.ts'
import { PdsStatus } from './pds-status.ts'
import { serve } from '@millrace/testing'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const fetch = createGuardedFetch({ allowPrivateHosts: true })
const at = (pds: string | undefined): { resolve: () => Promise<DidResolution> } => ({
  resolve: async () => ({ kind: 'found', identity: { did, document: {}, ...(pds && { pds }) } }),
})

/** What is made of an answer of the PDS. */
async function answerTo(status: number, body: unknown, headers: Record<string, string> = {}) {
  const asked: unknown[] = []
  await using pds = await serve(({ url }, response) => {
    asked.push(url)
    response.writeHead(status, headers)
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const result = await new PdsStatus({ resolver: at(pds.url), fetch, timeoutMs: 20_000 }).ask(did)
  expect(asked).toEqual([`/xrpc/com.atproto.sync.getRepoStatus?did=${encodeURIComponent(did)}`])
  return result
}

describe('the PDS that an account has now is asked how it stands (D9)', () => {
  test.each([
    { name: 'active', body: { did, active: true, rev: '3k' }, answer: { answer: 'active' } },
    {
      name: 'deactivated',
      body: { did, active: false, status: 'deactivated' },
      answer: { answer: 'inactive', status: 'deactivated' },
    },
    {
      name: 'inactive for a new reason',
      body: { did, active: false, status: 'x' },
      answer: { answer: 'inactive', status: 'x' },
    },
    { name: 'inactive for none', body: { did, active: false }, answer: { answer: 'inactive', status: null } },
    { name: 'nothing about it', body: { did }, answer: { answer: 'unknown' } },
    {
      name: 'something about another account',
      body: { did: 'did:plc:b', active: true },
      answer: { answer: 'unknown' },
    },
    { name: 'no JSON', body: '<html>', answer: { answer: 'unknown' } },
  ])('it says $name', async ({ body, answer }) => {
    expect(await answerTo(200, body)).toEqual(answer)
  })

  test.each([
    { error: 'RepoNotFound', status: 400, answer: { answer: 'unknown' } },
    { error: 'RepoTakendown', status: 400, answer: { answer: 'inactive', status: 'takendown' } },
    { error: 'RepoSuspended', status: 400, answer: { answer: 'inactive', status: 'suspended' } },
    { error: 'RepoDeactivated', status: 400, answer: { answer: 'inactive', status: 'deactivated' } },
    { error: 'toString', status: 400, answer: { answer: 'unknown' } },
    { error: 'MethodNotImplemented', status: 501, answer: { answer: 'unknown' } },
    { error: '', status: 404, answer: { answer: 'unknown' } },
  ])('it refuses with $status $error', async ({ error, status, answer }) => {
    expect(await answerTo(status, { error })).toEqual(answer)
  })

  test('it answers with too much', async () => {
    expect(await answerTo(200, JSON.stringify({ did, active: true, pad: 'x'.repeat(70_000) }))).toEqual({
      answer: 'unknown',
    })
  })
})

describe('no answer now is no answer (D10)', () => {
  test.each([429, 500, 502, 503])('status %i', async (status) => {
    await expect(answerTo(status, {}, { 'retry-after': '7' })).rejects.toMatchObject({
      name: 'TemporaryIdentityError',
      retryAfterMs: 7_000,
    })
  })

  test('a PDS that is away', async () => {
    const { url } = await (async () => {
      await using gone = await serve(() => undefined)
      return { url: gone.url }
    })()
    const ask = new PdsStatus({ resolver: at(url), fetch, timeoutMs: 20_000 }).ask(did)
    await expect(ask).rejects.toBeInstanceOf(TemporaryIdentityError)
  })

  test('a PDS that says nothing', async () => {
    await using silent = await serve(() => undefined)
    const ask = new PdsStatus({ resolver: at(silent.url), fetch, timeoutMs: 50 }).ask(did)
    await expect(ask).rejects.toBeInstanceOf(TemporaryIdentityError)
  })

  test('but a stop is a stop', async () => {
    await using silent = await serve(() => undefined)
    const stop = new AbortController()
    const ask = new PdsStatus({ resolver: at(silent.url), fetch }).ask(did, stop.signal)
    stop.abort(new Error('stopped'))
    await expect(ask).rejects.toThrow('stopped')
  })
})

test('a host that has enough to do is not asked (D11)', async () => {
  await using pds = await serve((_request, response) => response.end(JSON.stringify({ did, active: true })))
  // The clock stands still: what may be asked in a second is all there is.
  const limits = new HostLimits({ perSecond: 2, now: () => 0 })
  const status = new PdsStatus({ resolver: at(pds.url), fetch, limits })
  const answers = await Promise.allSettled([1, 2, 3].map(() => status.ask(did)))
  expect(answers.map((answer) => answer.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(answers[2]).toMatchObject({ reason: { name: 'TemporaryIdentityError', wasAsked: false } })
  expect(pds.asked).toHaveLength(2)
})

test('an account without a PDS, or with one that must not be asked, has nobody who says', async () => {
  expect(await new PdsStatus({ resolver: at(undefined), fetch }).ask(did)).toEqual({ answer: 'unknown' })
  const resolver = at('http://127.0.0.1:1')
  expect(await new PdsStatus({ resolver, fetch: createGuardedFetch() }).ask(did)).toEqual({ answer: 'unknown' })
})

describe('a DID that is gone (D8)', () => {
  const ask = async (status: number) => {
    await using plc = await serve((_request, response) => response.writeHead(status).end())
    const resolver = new DidResolver({ fetch, plcUrl: plc.url, allowPrivateHosts: true })
    return await new PdsStatus({ resolver, fetch }).ask(did)
  }
  test('for good is a tombstone', async () => expect(await ask(410)).toEqual({ answer: 'tombstoned' }))
  test('or never was, is none', async () => expect(await ask(404)).toEqual({ answer: 'unknown' }))
  test('only because the directory fails, is none', async () => {
    await expect(ask(500)).rejects.toBeInstanceOf(TemporaryIdentityError)
  })
})
