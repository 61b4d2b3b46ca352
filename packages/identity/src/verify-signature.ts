import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { multibaseToBytes } from '@atproto/crypto'
import { loadSecp256k1 } from './load-secp256k1.ts'

interface Curve {
  /** What stands before a compressed point in a `did:key`. */
  multicodec: string
  /** What stands before one in a SubjectPublicKeyInfo. */
  prefix: Buffer
  /** Half of the order: of the two values that verify, AT Protocol takes the lower one. */
  highestS: bigint
  hasLibrary: boolean
}

const curves: readonly Curve[] = [
  {
    multicodec: 'e701',
    prefix: Buffer.from('3036301006072a8648ce3d020106052b8104000a032200', 'hex'),
    highestS: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n / 2n,
    hasLibrary: true,
  },
  {
    multicodec: '8024',
    prefix: Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
    highestS: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n,
    hasLibrary: false,
  },
]

interface Key {
  object: KeyObject
  highestS: bigint
  /** Uncompressed, for keys of the curve that there is a library for. */
  point: Buffer | undefined
}

const secp256k1 = loadSecp256k1()

/** Making a key takes longer than using it. The longest unused goes first. */
const keys = new Map<string, Key>()
const MAX_KEYS = 10_000

const verifyAsync = promisify(verify)

/**
 * Whether `sig` (64 bytes, low-S) is that of `didKey` over `bytes`. False for everything that is no signature or no key.
 *
 * Keys of secp256k1 are left to libsecp256k1 where it can be had, which takes an eighth of OpenSSL's time, and less than
 * to tell another thread of it. The work for all others is done beside the event loop.
 */
export async function verifySignature(didKey: string, bytes: Uint8Array, sig: Uint8Array): Promise<boolean> {
  const key = usableKey(didKey, sig)
  if (!key) return false
  if (key.point && secp256k1) return verifyAtOnce(key, bytes, sig)
  return await verifyAsync('sha256', bytes, { key: key.object, dsaEncoding: 'ieee-p1363' }, sig)
}

/** As {@link verifySignature}, at once and in this thread whatever the key, for threads that do nothing else. */
export function verifySignatureNow(didKey: string, bytes: Uint8Array, sig: Uint8Array): boolean {
  const key = usableKey(didKey, sig)
  return key !== undefined && verifyAtOnce(key, bytes, sig)
}

function verifyAtOnce(key: Key, bytes: Uint8Array, sig: Uint8Array): boolean {
  if (!key.point || !secp256k1) return verify('sha256', bytes, { key: key.object, dsaEncoding: 'ieee-p1363' }, sig)
  try {
    return secp256k1.ecdsaVerify(sig, hash('sha256', bytes, 'buffer'), key.point)
  } catch {
    // It throws for numbers beyond the order of the curve.
    return false
  }
}

/** The key, if the signature may be one of its curve. */
function usableKey(didKey: string, sig: Uint8Array): Key | undefined {
  const key = keyOf(didKey)
  if (!key || sig.length !== 64) return undefined
  const s = BigInt(`0x${Buffer.from(sig.buffer, sig.byteOffset + 32, 32).toString('hex')}`)
  return s > key.highestS ? undefined : key
}

function keyOf(didKey: string): Key | undefined {
  const known = keys.get(didKey)
  if (known) {
    keys.delete(didKey)
    keys.set(didKey, known)
    return known
  }
  const made = makeKey(didKey)
  if (!made) return undefined
  keys.set(didKey, made)
  const oldest = keys.keys().next().value
  if (keys.size > MAX_KEYS && oldest !== undefined) keys.delete(oldest)
  return made
}

function makeKey(didKey: string): Key | undefined {
  if (!didKey.startsWith('did:key:z')) return undefined
  try {
    const bytes = Buffer.from(multibaseToBytes(didKey.slice('did:key:'.length)))
    const curve = curves.find(({ multicodec }) => bytes.toString('hex', 0, 2) === multicodec)
    if (!curve || bytes.length !== 35) return undefined
    const der = Buffer.concat([curve.prefix, bytes.subarray(2)])
    const object = createPublicKey({ key: der, format: 'der', type: 'spki' })
    return { object, highestS: curve.highestS, point: curve.hasLibrary ? uncompressed(object) : undefined }
  } catch {
    // Not a key at all, or not a point of its curve.
    return undefined
  }
}

function uncompressed(object: KeyObject): Buffer {
  const { x = '', y = '' } = object.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}
