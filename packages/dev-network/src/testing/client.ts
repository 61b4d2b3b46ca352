import { cborToLexRecord, type Commit, MemoryBlockstore, MST, readCarWithRoot } from '@atproto/repo'
import type { Cid } from '@atproto/lex-data'
import { collectFrames } from '../collect-frames.ts'
import { decodeFrame, type Frame } from '../frame.ts'
import type { SimulatedNetwork } from '../simulated-network.ts'

/** Small enough to start in a moment. */
export const small = { accounts: 4, recordsPerAccount: 5, labels: 0 }

export interface CommitBody {
  seq: number
  repo: string
  commit: Cid
  rev: string
  since: string
  prevData: Cid
  blocks: Uint8Array
  ops: { action: string; path: string; cid: Cid | null; prev?: Cid }[]
  tooBig: boolean
}

export const commitOf = (frame: Frame): CommitBody => frame.body as unknown as CommitBody

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is nothing')
  return value
}

export async function framesAfter(network: SimulatedNetwork, cursor: number): Promise<Frame[]> {
  const count = network.relay.after(cursor).length
  return (await collectFrames({ host: network.relayUrl, cursor, count })).map(decodeFrame)
}

/** A key of an account's DID document, as `did:key`. */
export async function keyOf(network: SimulatedNetwork, did: string, name = 'atproto'): Promise<string> {
  const document = (await (await fetch(`${network.plcUrl}/${did}`)).json()) as {
    verificationMethod: { id: string; publicKeyMultibase: string }[]
  }
  const method = must(document.verificationMethod.find(({ id }) => id === `${did}#${name}`))
  return `did:key:${method.publicKeyMultibase}`
}

export const get = (host: string, method: string, query: Record<string, string> = {}): Promise<Response> =>
  fetch(`${host}/xrpc/${method}?${new URLSearchParams(query)}`)

export async function getRepo(network: SimulatedNetwork, did: string): Promise<Uint8Array> {
  const response = await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })
  return new Uint8Array(await response.arrayBuffer())
}

/** The commit that is the root of a CAR. */
export async function commitIn(car: Uint8Array): Promise<Commit> {
  const { root, blocks } = await readCarWithRoot(car)
  return cborToLexRecord(must(blocks.get(root))) as unknown as Commit
}

/** The root of the tree before a commit, from nothing but the frame. */
export async function undo({ blocks, ops }: CommitBody): Promise<string> {
  const { root, blocks: map } = await readCarWithRoot(blocks)
  const commit = cborToLexRecord(must(map.get(root))) as unknown as Commit
  let tree = MST.load(new MemoryBlockstore(map), commit.data)
  for (const { action, path, cid, prev } of ops.toReversed()) {
    if (cid && !map.has(cid)) throw new Error(`the frame lacks the record of ${path}`)
    if (action === 'create') tree = await tree.delete(path)
    else if (action === 'update') tree = await tree.update(path, must(prev))
    else tree = await tree.add(path, must(prev))
  }
  return String(await tree.getPointer())
}
