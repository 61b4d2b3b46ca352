import { bytesToMultibase, P256Keypair, Secp256k1Keypair, verifySignature as reference } from '@atproto/crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verifySignature as beside, verifySignatureNow } from './verify-signature.ts'

const bytes = Buffer.from('what was signed')
const orders = {
  ES256K: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
}

/** Both ways have to agree about everything. */
async function verifySignature(...check: Parameters<typeof beside>): Promise<boolean> {
  const [later, now] = [await beside(...check), verifySignatureNow(...check)]
  expect(now).toBe(later)
  return now
}

describe.each([
  { name: 'secp256k1', Pair: Secp256k1Keypair },
  { name: 'P-256', Pair: P256Keypair },
])('a signature by a key of $name', ({ Pair }) => {
  test('holds for what was signed, and for nothing else', async () => {
    const pair = await Pair.create()
    const other = await Pair.create()
    const sig = await pair.sign(bytes)
    expect(await verifySignature(pair.did(), bytes, sig)).toBe(true)
    expect(await verifySignature(pair.did(), Buffer.from('another text'), sig)).toBe(false)
    expect(await verifySignature(other.did(), bytes, sig)).toBe(false)
    expect(await verifySignature(pair.did(), bytes, sig.with(40, sig[40]! ^ 1))).toBe(false)
  })

  test('is of 64 bytes and has the lower of its two values (L6, B7)', async () => {
    const pair = await Pair.create()
    const sig = await pair.sign(bytes)
    const order = orders[pair.jwtAlg as keyof typeof orders]
    const s = BigInt(`0x${Buffer.from(sig.subarray(32)).toString('hex')}`)
    const high = Buffer.concat([sig.subarray(0, 32), Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')])
    // It is a signature, only not one that AT Protocol takes.
    expect(await reference(pair.did(), bytes, high, { allowMalleableSig: true })).toBe(true)
    expect(await verifySignature(pair.did(), bytes, high)).toBe(false)
    for (const bad of [
      new Uint8Array(),
      sig.subarray(1),
      Buffer.concat([sig, Buffer.from([0])]),
      new Uint8Array(64),
      new Uint8Array(64).fill(0xff),
    ])
      expect(await verifySignature(pair.did(), bytes, bad)).toBe(false)
  })

  test('has the verdict of @atproto/crypto on whatever numbers a signature is made of', async () => {
    const pair = await Pair.create()
    const sig = Buffer.from(await pair.sign(bytes))
    const order = orders[pair.jwtAlg as keyof typeof orders]
    const numbers = [0n, 1n, order / 2n, order / 2n + 1n, order - 1n, order, order + 1n, 2n ** 256n - 1n]
    const edge = fc.constantFrom(...numbers).map((number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex'))
    const half = (own: Buffer) =>
      fc.oneof(
        fc.constant(own),
        edge,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.nat({ max: 255 }).map((bit) => own.with(bit >> 3, own[bit >> 3]! ^ (1 << (bit & 7)))),
      )
    const length = fc.oneof({ arbitrary: fc.constant(64), weight: 9 }, fc.nat({ max: 70 }))
    await fc.assert(
      fc.asyncProperty(half(sig.subarray(0, 32)), half(sig.subarray(32)), length, async (r, s, size) => {
        const changed = Buffer.alloc(size)
        Buffer.concat([r, s]).copy(changed)
        // It throws for what is no signature at all.
        const expected = await reference(pair.did(), bytes, changed).catch(() => false)
        expect(await verifySignature(pair.did(), bytes, changed)).toBe(expected)
      }),
      { numRuns: 80, examples: [[sig.subarray(0, 32), sig.subarray(32), 64]] },
    )
  })
})

test.each([
  '',
  'did:key:',
  'did:key:zQ3sh',
  // Of the right form, but not on the curve.
  `did:key:${bytesToMultibase(Buffer.concat([Buffer.from('e70102', 'hex'), Buffer.alloc(32, 0xff)]), 'base58btc')}`,
  'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa',
  'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
])('%j is no key that verifies anything', async (key) => {
  expect(await verifySignature(key, bytes, new Uint8Array(64).fill(1))).toBe(false)
})

// Of `interop-test-files/crypto/signature-fixtures.json` in https://github.com/bluesky-social/atproto: values that are
// published for all who implement the protocol.
describe('a signature that is published', () => {
  const message = Buffer.from('oWVoZWxsb2V3b3JsZA', 'base64')
  const p256 = 'did:key:zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo'
  const k256 = 'did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc'

  const published = [
    {
      name: 'of P-256',
      key: p256,
      low: '2vZNsG3UKvvO/CDlrdvyZRISOFylinBh0Jupc6KcWoJWExHptCfduPleDbG3rko3YZnn9Lw0IjpixVmexJDegg',
      high: '2vZNsG3UKvvO/CDlrdvyZRISOFylinBh0Jupc6KcWoKp7O4VS9giSAah8k5IUbXIW00SuOrjfEqQ9HEkN9JGzw',
    },
    {
      name: 'of secp256k1',
      key: k256,
      low: '5WpdIuEUUfVUYaozsi8G0B3cWO09cgZbIIwg1t2YKdUn/FEznOndsz/qgiYb89zwxYCbB71f7yQK5Lr7NasfoA',
      high: '5WpdIuEUUfVUYaozsi8G0B3cWO09cgZbIIwg1t2YKdXYA67MYxYiTMAVfdnkDCMN9S5B3vHosRe07aORmoshoQ',
    },
  ]

  test.each(published)('$name holds', async ({ key, low }) => {
    const sig = Buffer.from(low, 'base64')
    expect(await verifySignature(key, message, sig)).toBe(true)
    expect(await reference(key, message, sig)).toBe(true)
  })

  test.each(published)('$name with the higher of its values is refused (L6)', async ({ key, high }) => {
    const sig = Buffer.from(high, 'base64')
    expect(await verifySignature(key, message, sig)).toBe(false)
    expect(await reference(key, message, sig)).toBe(false)
    expect(await reference(key, message, sig, { allowMalleableSig: true })).toBe(true)
  })

  test.each(published)('$name written as DER is refused (L6)', async ({ key, low }) => {
    const sig = Buffer.from(low, 'base64')
    const parts = [sig.subarray(0, 32), sig.subarray(32)].map((number) => {
      const bytes = number[0]! < 0x80 ? number : Buffer.concat([Buffer.alloc(1), number])
      return Buffer.concat([Buffer.from([2, bytes.length]), bytes])
    })
    const der = Buffer.concat([Buffer.from([0x30, parts[0]!.length + parts[1]!.length]), ...parts])
    expect(await reference(key, message, der, { allowMalleableSig: true })).toBe(true)
    expect(await verifySignature(key, message, der)).toBe(false)
  })
})
