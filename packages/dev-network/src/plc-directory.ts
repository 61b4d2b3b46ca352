import type { Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, type LexMap, toBase64 } from '@atproto/lex-data'
import { base32 } from 'multiformats/bases/base32'
import { sha256 } from './random.ts'

/** What a DID stands for at one time. */
export interface DidState {
  /** `did:key` by name, such as `atproto`. */
  verificationMethods: Record<string, string>
  alsoKnownAs: string[]
  services: Record<string, { type: string; endpoint: string }>
}

interface LogEntry {
  did: string
  operation: LexMap & { type: string }
  cid: string
  nullified: boolean
  createdAt: string
}

/** A directory of `did:plc`: signed operations, each naming the one before (https://web.plc.directory/spec/v0.1/did-plc). */
export class PlcDirectory {
  readonly #rotationKey: Keypair
  readonly #logs = new Map<string, LogEntry[]>()

  constructor(rotationKey: Keypair) {
    this.#rotationKey = rotationKey
  }

  /** The DID is the hash of its first operation, and so depends on nothing else than `state` and the rotation key. */
  async create(state: DidState, createdAt: string): Promise<string> {
    const operation = await this.#sign({ type: 'plc_operation', ...state, prev: null })
    const did = `did:plc:${base32.baseEncode(sha256(encode(operation))).slice(0, 24)}`
    this.#logs.set(did, [])
    await this.#append(did, operation, createdAt)
    return did
  }

  /** Adds an operation that changes parts of a DID's state. */
  async update(did: string, change: Partial<DidState>, createdAt: string): Promise<void> {
    const state = { ...this.state(did), ...change }
    await this.#append(did, await this.#sign({ type: 'plc_operation', ...state, prev: this.#last(did).cid }), createdAt)
  }

  /** Ends the DID for good. */
  async tombstone(did: string, createdAt: string): Promise<void> {
    const operation = await this.#sign({ type: 'plc_tombstone', prev: this.#last(did).cid })
    await this.#append(did, operation, createdAt)
  }

  /** @throws when the DID is unknown or a tombstone. */
  state(did: string): DidState {
    const { verificationMethods, alsoKnownAs, services } = this.#last(did).operation as unknown as DidState
    return { verificationMethods, alsoKnownAs, services }
  }

  /** @returns the operations of a DID, from the first; undefined when there is none. */
  log(did: string): readonly LogEntry[] | undefined {
    return this.#logs.get(did)
  }

  /** Whether a DID is gone for good. */
  isTombstone(did: string): boolean {
    return this.#last(did).operation.type === 'plc_tombstone'
  }

  /** The DID document in the form of plc.directory. */
  document(did: string): object {
    const { verificationMethods, alsoKnownAs, services } = this.state(did)
    return {
      '@context': [
        'https://www.w3.org/ns/did/v1',
        'https://w3id.org/security/multikey/v1',
        'https://w3id.org/security/suites/secp256k1-2019/v1',
      ],
      id: did,
      alsoKnownAs,
      verificationMethod: Object.entries(verificationMethods).map(([name, key]) => ({
        id: `${did}#${name}`,
        type: 'Multikey',
        controller: did,
        publicKeyMultibase: key.slice('did:key:'.length),
      })),
      service: Object.entries(services).map(([name, { type, endpoint }]) => ({
        id: `#${name}`,
        type,
        serviceEndpoint: endpoint,
      })),
    }
  }

  #last(did: string): LogEntry {
    const entry = this.#logs.get(did)?.at(-1)
    if (!entry) throw new Error(`${did} is not registered`)
    return entry
  }

  async #sign(operation: object): Promise<LogEntry['operation']> {
    const unsigned = (
      'verificationMethods' in operation ? { ...operation, rotationKeys: [this.#rotationKey.did()] } : operation
    ) as LogEntry['operation']
    return { ...unsigned, sig: toBase64(await this.#rotationKey.sign(encode(unsigned)), 'base64url') }
  }

  async #append(did: string, operation: LogEntry['operation'], createdAt: string): Promise<void> {
    const cid = (await cidForCbor(encode(operation))).toString()
    this.#logs.get(did)?.push({ did, operation, cid, nullified: false, createdAt })
  }
}
