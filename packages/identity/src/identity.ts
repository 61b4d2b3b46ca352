import { formatDidKey, multibaseToBytes, P256_JWT_ALG, parseDidKey, SECP256K1_JWT_ALG } from '@atproto/crypto'
import { isValidHandle } from '@atproto/syntax'
import { isObject, type JsonObject } from '@millrace/stream-protocol'

/** What a DID document says about an account. */
export interface Identity {
  did: string
  /** The first `at://` name of the document, in lower case. A claim: see `verifiedHandle`. */
  handle?: string
  /** Origin of the `#atproto_pds` service, e.g. `https://morel.us-east.host.bsky.network`. */
  pds?: string
  /** The `#atproto` key, as `did:key`. */
  signingKey?: string
  /** The `#atproto_label` key, as `did:key`. */
  labelerKey?: string
  /** Origin of the `#atproto_labeler` service. */
  labelerUrl?: string
  /** The document as it was served. */
  document: JsonObject
}

/**
 * Reads a DID document; null when it is not the document of `did`. Of several services or keys with one id the first
 * counts; one that cannot be used is absent (hazard D6).
 */
export function readDidDocument(
  document: unknown,
  did: string,
  { allowPrivateHosts = false }: { allowPrivateHosts?: boolean } = {},
): Identity | null {
  if (!isObject(document) || document['id'] !== did) return null
  const handle = readHandle(document['alsoKnownAs'])
  const pds = readService(document, 'atproto_pds', 'AtprotoPersonalDataServer', allowPrivateHosts)
  const signingKey = readKey(document, 'atproto')
  const labelerKey = readKey(document, 'atproto_label')
  const labelerUrl = readService(document, 'atproto_labeler', 'AtprotoLabeler', allowPrivateHosts)
  return {
    did,
    ...(handle !== undefined && { handle }),
    ...(pds !== undefined && { pds }),
    ...(signingKey !== undefined && { signingKey }),
    ...(labelerKey !== undefined && { labelerKey }),
    ...(labelerUrl !== undefined && { labelerUrl }),
    document,
  }
}

function readHandle(names: unknown): string | undefined {
  const first = list(names).find((name): name is string => typeof name === 'string' && name.startsWith('at://'))
  const handle = first?.slice('at://'.length).toLowerCase()
  return handle !== undefined && isValidHandle(handle) ? handle : undefined
}

function readService(document: JsonObject, id: string, type: string, allowPrivateHosts: boolean): string | undefined {
  const service = find(document, 'service', id)
  if (service?.['type'] !== type || typeof service['serviceEndpoint'] !== 'string') return undefined
  return serviceOrigin(service['serviceEndpoint'], allowPrivateHosts)
}

/** Origin of a service endpoint: https on the default port, and nothing but a host in it. */
export function serviceOrigin(endpoint: string, allowPrivateHosts: boolean): string | undefined {
  if (!URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  const plain =
    url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === ''
  const allowed = allowPrivateHosts
    ? url.protocol === 'https:' || url.protocol === 'http:'
    : url.protocol === 'https:' && url.port === ''
  return plain && allowed ? url.origin : undefined
}

function readKey(document: JsonObject, id: string): string | undefined {
  const method = find(document, 'verificationMethod', id)
  const key = method?.['publicKeyMultibase']
  if (typeof key !== 'string') return undefined
  try {
    switch (method?.['type']) {
      case 'Multikey': {
        const didKey = `did:key:${key}`
        parseDidKey(didKey)
        return didKey
      }
      // Before Multikey, the type named the curve and the key stood alone.
      case 'EcdsaSecp256k1VerificationKey2019':
        return formatDidKey(SECP256K1_JWT_ALG, multibaseToBytes(key))
      case 'EcdsaSecp256r1VerificationKey2019':
        return formatDidKey(P256_JWT_ALG, multibaseToBytes(key))
      default:
        return undefined
    }
  } catch {
    // Not a point of its curve: a key that verifies nothing is none.
    return undefined
  }
}

/** Ids stand alone (`#atproto`) or after the DID. */
function find(document: JsonObject, field: string, id: string): JsonObject | undefined {
  return list(document[field])
    .filter((entry) => isObject(entry))
    .find((entry) => entry['id'] === `#${id}` || entry['id'] === `${document['id']}#${id}`)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
