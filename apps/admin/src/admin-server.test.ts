import { Secp256k1Keypair } from '@atproto/crypto'
import { createServiceJwt } from '@atproto/xrpc-server'
import { request } from 'node:http'
import type { DidResolver } from '@millrace/identity'
import { expect, test } from 'vitest'
import { ServiceAuth } from './service-auth.ts'
import { serviceDidDocument } from './service-did-document.ts'
import type { Status } from './status.ts'
import { served } from './testing/served.ts'

const basic = (credentials: string) => ({
  headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
})
const method = '/xrpc/dev.millrace.admin.getStatus'

test('answers getStatus as its lexicon says', async () => {
  await using admin = await served()
  const { get } = admin
  const answer = await get(method)
  expect(answer.status).toBe(200)
  expect(answer.json() as Status).toMatchObject({ status: 'ok', problems: [], store: { kind: 'sqlite' } })
})

test('asks for a password when it has one, and says the same whatever is wrong (M2)', async () => {
  await using admin = await served({ passwords: ['one', 'two'] })
  const { get } = admin
  expect((await get(method, basic('admin:one'))).status).toBe(200)
  expect((await get(method, basic('admin:two'))).status).toBe(200)
  for (const init of [{}, basic('admin:three'), basic('root:one'), { headers: { authorization: 'Bearer one' } }]) {
    const refused = await get(method, init)
    expect([refused.status, refused.json()]).toEqual([
      401,
      { error: 'AuthenticationRequired', message: 'Authentication Required' },
    ])
    expect(refused.headers.get('www-authenticate')).toContain('Basic')
  }
  expect((await get('/xrpc/dev.millrace.admin.unknown')).status).toBe(401)
})

test('stops answering an address that guesses, with the right password too (M2)', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { get } = admin
  for (let guess = 0; guess < 10; guess++) await get(method, basic(`admin:${guess}`))
  const refused = await get(method, basic('admin:one'))
  expect([refused.status, refused.json()]).toMatchObject([429, { error: 'RateLimitExceeded' }])
})

test('is not opened to others without a password (M1)', async () => {
  await expect(served({ bind: '0.0.0.0' })).rejects.toThrow('has no password')
})

test('without a password answers only to names of this machine (M1)', async () => {
  await using admin = await served()
  const ask = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ port: admin.port, path: method, headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })
  expect(await ask(`localhost:${admin.port}`)).toBe(200)
  expect(await ask('attacker.example')).toBe(403)
})

test('tells its health to everybody', async () => {
  await using admin = await served({ passwords: ['one'] })
  const { get, health } = admin
  expect((await get('/xrpc/_health')).json()).toEqual({ version: '1.2.3', status: 'ready' })
  health.add('database', () => Promise.reject(new Error('postgres://u:secret@db is away')))
  const failing = await get('/xrpc/_health')
  expect([failing.status, failing.json()]).toEqual([503, { version: '1.2.3', status: 'failing' }])
})

test('tells everybody its DID document, where it has one', async () => {
  const did = 'did:web:admin.example'
  await using admin = await served({ passwords: ['one'], didDocument: serviceDidDocument(did, 'https://a.example/') })
  const answer = await admin.get('/.well-known/did.json')
  expect([answer.status, answer.json()]).toEqual([
    200,
    {
      '@context': ['https://www.w3.org/ns/did/v1'],
      id: did,
      service: [{ id: '#millrace_admin', type: 'MillraceAdmin', serviceEndpoint: 'https://a.example' }],
    },
  ])
  await using other = await served({ passwords: ['one'] })
  const none = await other.get('/.well-known/did.json')
  expect([none.status, none.json()]).toMatchObject([404, { error: 'NotFound' }])
})

test.each([undefined, 'did:plc:abc', 'did:web:admin.example:path', 'did:web:'])(
  'there is no DID document to serve for %s',
  (did) => {
    expect(() => serviceDidDocument(did, 'https://a.example')).toThrow('not the did:web of a host')
  },
)

test.each([
  ['GET', '/xrpc/dev.millrace.admin.getNothing', 501, 'MethodNotImplemented'],
  ['POST', method, 400, 'InvalidRequest'],
  ['GET', '/xrpc/not_an_nsid!', 400, 'InvalidRequest'],
  ['GET', '/elsewhere', 404, 'NotFound'],
] as const)('%s %s is %i %s, with an error and a message (M8)', async (httpMethod, url, status, error) => {
  await using admin = await served()
  const { get } = admin
  const answer = await get(url, { method: httpMethod })
  expect([answer.status, answer.json()]).toEqual([status, { error, message: expect.any(String) }])
})

test('a part that is away is named, and its error goes to the log alone (M8)', async () => {
  await using admin = await served()
  const { get, logger } = admin
  await admin.store[Symbol.asyncDispose]()
  const answer = await get(method)
  expect(answer.json()).toMatchObject({
    status: 'failing',
    streams: [],
    problems: [{ code: 'store-away', severity: 'page', message: 'it does not answer' }],
  })
  expect(answer.text).not.toMatch(/sqlite error|not open|stack|at file/i)
  expect(logger.messages('warn')).toContain('a part of the diagnosis is missing')
})

test('pages of another origin are not answered, of our own they are (M3)', async () => {
  await using admin = await served()
  const { get, port } = admin
  const from = async (origin: string) => (await get(method, { headers: { origin } })).status
  expect(await from('https://evil.example')).toBe(403)
  expect(await from('null')).toBe(403)
  expect(await from(`http://127.0.0.1:${port}`)).toBe(200)
})

test('accounts call with tokens that they sign; viewers change nothing', async () => {
  const keypair = await Secp256k1Keypair.create()
  const resolver: Pick<DidResolver, 'resolve'> = {
    resolve: async (did) => ({ kind: 'found', identity: { did, signingKey: keypair.did(), document: {} } }),
  }
  const aud = 'did:web:admin.example'
  const [viewer, operator] = ['did:plc:viewer', 'did:plc:operator'] as const
  const serviceAuth = new ServiceAuth({ serviceDid: aud, viewers: [viewer], operators: [operator], resolver })
  await using admin = await served({ passwords: ['one'], serviceAuth })
  const ask = async (iss: `did:plc:${string}`, name: string, init: RequestInit = {}) => {
    const lxm = `dev.millrace.admin.${name}` as const
    const jwt = await createServiceJwt({ iss, aud, lxm, keypair })
    const headers = { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' }
    return await admin.get(`/xrpc/${lxm}`, { ...init, headers })
  }
  expect((await ask(viewer, 'getStatus')).status).toBe(200)
  const change = { method: 'POST', body: JSON.stringify({ dids: ['did:plc:abc'] }) }
  const refused = await ask(viewer, 'resyncRepos', change)
  expect([refused.status, refused.json()]).toMatchObject([403, { error: 'Forbidden' }])
  // He may, and there is no database to do it in.
  expect((await ask(operator, 'resyncRepos', change)).json()).toMatchObject({ error: 'Unavailable' })
  expect((await ask('did:plc:stranger', 'getStatus')).status).toBe(401)
})
