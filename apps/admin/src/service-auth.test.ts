import { Secp256k1Keypair } from '@atproto/crypto'
import { createServiceJwt } from '@atproto/xrpc-server'
import type { DidResolver } from '@millrace/identity'
import { expect, test } from 'vitest'
import { ServiceAuth } from './service-auth.ts'

const ours = 'did:web:admin.example'
const nsid = 'dev.millrace.admin.getStatus'
const operator = 'did:plc:operator'
const viewer = 'did:plc:viewer'

async function open() {
  const keypair = await Secp256k1Keypair.create()
  const asked: string[] = []
  const resolver: Pick<DidResolver, 'resolve'> = {
    resolve: async (did) => {
      asked.push(did)
      return { kind: 'found', identity: { did, signingKey: keypair.did(), document: {} } }
    },
  }
  const auth = new ServiceAuth({ serviceDid: ours, viewers: [viewer], operators: [operator], resolver })
  const token = async (changes: Partial<Parameters<typeof createServiceJwt>[0]> = {}) =>
    `Bearer ${await createServiceJwt({ iss: operator, aud: ours, lxm: nsid, keypair, ...changes })}`
  return { auth, token, asked }
}

test('a listed account calls in its own name, with its role', async () => {
  const { auth, token } = await open()
  expect(await auth.callerOf(await token(), nsid)).toEqual({ who: operator, role: 'operator' })
  expect(await auth.callerOf(await token({ iss: viewer }), nsid)).toEqual({ who: viewer, role: 'viewer' })
})

test('a token is good once', async () => {
  const { auth, token } = await open()
  const once = await token()
  expect(await auth.callerOf(once, nsid)).toBeDefined()
  expect(await auth.callerOf(once, nsid)).toBeUndefined()
})

test.each([
  ['of another method', { lxm: 'dev.millrace.admin.setCursor' }],
  ['of no method', { lxm: null }],
  ['for somebody else', { aud: 'did:web:other.example' }],
  ['that has run out', { exp: Math.floor(Date.now() / 1_000) - 1 }],
  ['that is good for too long', { exp: Math.floor(Date.now() / 1_000) + 3_600 }],
  ['of an account that is not listed', { iss: 'did:plc:stranger' }],
] as const)('a token %s is none', async (_name, changes) => {
  const { auth, token } = await open()
  expect(await auth.callerOf(await token(changes), nsid)).toBeUndefined()
})

test('a token that another key has signed is none, and strangers have nobody looked up', async () => {
  const { auth, token, asked } = await open()
  const keypair = await Secp256k1Keypair.create()
  expect(await auth.callerOf(await token({ keypair }), nsid)).toBeUndefined()
  const before = asked.length
  expect(await auth.callerOf(await token({ iss: 'did:plc:stranger' }), nsid)).toBeUndefined()
  expect(asked).toHaveLength(before)
})

test.each([undefined, '', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic abc'])('%s is no token', async (header) => {
  const { auth } = await open()
  expect(await auth.callerOf(header, nsid)).toBeUndefined()
})
