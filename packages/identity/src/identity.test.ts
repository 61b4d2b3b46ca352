import { P256Keypair, Secp256k1Keypair, bytesToMultibase } from '@atproto/crypto'
import { describe, expect, test } from 'vitest'
import { readDidDocument } from './identity.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const k256 = await Secp256k1Keypair.create()
const p256 = await P256Keypair.create()
const multibase = (key: { did(): string }): string => key.did().slice('did:key:'.length)
const pds = (serviceEndpoint: string, id = '#atproto_pds') => ({
  id,
  type: 'AtprotoPersonalDataServer',
  serviceEndpoint,
})
const method = (type: string, publicKeyMultibase: string, id = `${did}#atproto`) => ({ id, type, publicKeyMultibase })
const read = (document: object) => readDidDocument({ id: did, ...document }, did)

describe('readDidDocument', () => {
  test('reads handle, PDS, keys and labeler', () => {
    const document = {
      id: did,
      alsoKnownAs: ['https://alice.example.com', 'at://Alice.Example.com', 'at://other.example.com'],
      verificationMethod: [
        method('Multikey', multibase(k256)),
        method('Multikey', multibase(p256), `${did}#atproto_label`),
      ],
      service: [
        pds('https://pds.example.com/'),
        { id: '#atproto_labeler', type: 'AtprotoLabeler', serviceEndpoint: 'https://mod.example.com' },
      ],
    }
    expect(readDidDocument(document, did)).toEqual({
      did,
      handle: 'alice.example.com',
      pds: 'https://pds.example.com',
      signingKey: k256.did(),
      labelerKey: p256.did(),
      labelerUrl: 'https://mod.example.com',
      document,
    })
  })

  test.each([
    { name: 'another id', document: { id: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' } },
    { name: 'no id', document: {} },
    { name: 'a list', document: [] },
    { name: 'nothing', document: undefined },
  ])('$name is not its document (D6)', ({ document }) => expect(readDidDocument(document, did)).toBeNull())

  test.each([
    { type: 'EcdsaSecp256k1VerificationKey2019', key: k256, encoding: 'base58btc' as const },
    { type: 'EcdsaSecp256r1VerificationKey2019', key: p256, encoding: 'base58btc' as const },
    { type: 'EcdsaSecp256k1VerificationKey2019', key: k256, encoding: 'base16' as const },
  ])('$type in $encoding gives the same did:key as a Multikey', ({ type, key, encoding }) => {
    const publicKey = bytesToMultibase(key.publicKeyBytes(), encoding)
    expect(read({ verificationMethod: [method(type, publicKey)] })?.signingKey).toBe(key.did())
  })

  test('the first entry of an id counts, also when it cannot be used (D6)', () => {
    const verificationMethod = [method('Unknown2030', multibase(k256)), method('Multikey', multibase(k256))]
    expect(read({ verificationMethod })?.signingKey).toBeUndefined()
    const service = [pds('https://one.example.com'), pds('https://two.example.com', `${did}#atproto_pds`)]
    expect(read({ service })?.pds).toBe('https://one.example.com')
  })

  test.each([
    'http://pds.example.com',
    'https://pds.example.com:8443',
    'https://user@pds.example.com',
    'https://pds.example.com/path',
    'https://pds.example.com?query=1',
    'https://pds.example.com/#part',
    'pds.example.com',
  ])('%s is no endpoint (D6)', (endpoint) => expect(read({ service: [pds(endpoint)] })?.pds).toBeUndefined())

  test('private networks may use http and ports', () => {
    const document = { id: did, service: [pds('http://127.0.0.1:2583')] }
    expect(readDidDocument(document, did, { allowPrivateHosts: true })?.pds).toBe('http://127.0.0.1:2583')
  })

  test.each([
    {
      name: 'fields of wrong types',
      document: { alsoKnownAs: 'at://a.example.com', service: {}, verificationMethod: 1 },
    },
    { name: 'a handle that is none', document: { alsoKnownAs: ['at://not a handle'] } },
    { name: 'a key that is no point', document: { verificationMethod: [method('Multikey', 'zQ3sh')] } },
    { name: 'a key that is not text', document: { verificationMethod: [{ id: '#atproto', type: 'Multikey' }] } },
    { name: 'a service of another type', document: { service: [{ ...pds('https://a.example.com'), type: 'Other' }] } },
  ])('$name leave only the document', ({ document }) =>
    expect(read(document)).toEqual({ did, document: { id: did, ...document } }),
  )
})
