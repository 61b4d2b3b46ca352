import { encode } from '@atproto/lex-cbor'
import type { Cid, LexMap, LexValue } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, MemoryBlockstore, Repo, WriteOpAction, type RecordWriteOp } from '@atproto/repo'

export const alice = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
export const now = '2026-11-23T10:00:00.000Z'

export type Keypair = Parameters<typeof Repo.create>[2]

/** Signs nothing, where signatures are not what is tested. */
const unsigned: Keypair = { jwtAlg: 'ES256K', did: () => 'did:key:none', sign: async () => new Uint8Array(64) }

export type Write =
  | { action: 'create' | 'update'; path: string; record: LexMap }
  | { action: 'delete'; path: string; record?: never }

/** The body of a `#commit`, to be changed by a test before it is encoded. */
export interface CommitBody {
  seq: number
  repo: string
  rev: string
  since: string | null
  time: string
  commit: Cid
  prevData?: Cid | null
  blocks: Uint8Array
  ops: { action: string; path: string; cid: Cid | null; prev?: Cid | null }[]
  blobs: Cid[]
  tooBig: boolean
  rebase: boolean
}

export function encodeFrame(header: LexMap, body: object): Buffer {
  return Buffer.concat([encode(header), encode(body as LexValue)])
}

export function commitFrame(body: CommitBody): Buffer {
  return encodeFrame({ op: 1, t: '#commit' }, body)
}

export function accountFrame(seq: number, fields: object = {}): Buffer {
  return encodeFrame({ op: 1, t: '#account' }, { seq, did: alice, time: now, active: true, ...fields })
}

export function identityFrame(seq: number, fields: object = {}): Buffer {
  return encodeFrame({ op: 1, t: '#identity' }, { seq, did: alice, time: now, ...fields })
}

export function infoFrame(name: string): Buffer {
  return encodeFrame({ op: 1, t: '#info' }, { name })
}

export function errorFrame(error: string): Buffer {
  return encodeFrame({ op: -1 }, { error, message: 'says the host' })
}

export function post(text: string): LexMap {
  return { $type: 'app.bsky.feed.post', text, createdAt: now }
}

/** A repo as a host keeps it, which sends each of its commits as a frame with the proof that the protocol asks for. */
export class TestRepo {
  #repo: Repo
  readonly #keypair: Keypair
  #seq = 0

  private constructor(repo: Repo, keypair: Keypair) {
    this.#repo = repo
    this.#keypair = keypair
  }

  static async create(did = alice, keypair = unsigned): Promise<TestRepo> {
    return new TestRepo(await Repo.create(new MemoryBlockstore(), did, keypair), keypair)
  }

  async commit(...writes: Write[]): Promise<CommitBody> {
    const before = this.#repo
    const data = await before.formatCommit(writes.map(toWriteOp), this.#keypair)
    this.#repo = await before.applyCommit(data)
    const ops = await Promise.all(
      writes.map(async ({ action, path }) => {
        const prev = await before.data.get(path)
        return { action, path, cid: await this.#repo.data.get(path), ...(prev && { prev }) }
      }),
    )
    const blocks = new BlockMap().addMap(data.newBlocks).addMap(data.relevantBlocks)
    return {
      seq: ++this.#seq,
      repo: before.did,
      rev: data.rev,
      since: before.commit.rev,
      time: now,
      commit: data.cid,
      prevData: before.commit.data,
      blocks: await blocksToCarFile(data.cid, blocks),
      ops,
      blobs: [],
      tooBig: false,
      rebase: false,
    }
  }

  /** The body of a `#sync` for the state it is in. */
  async sync(): Promise<{ seq: number; did: string; rev: string; time: string; blocks: Uint8Array }> {
    const { did, cid, commit } = this.#repo
    const blocks = new BlockMap().set(cid, encode(commit as unknown as LexValue))
    return { seq: ++this.#seq, did, rev: commit.rev, time: now, blocks: await blocksToCarFile(cid, blocks) }
  }

  get data(): string {
    return this.#repo.commit.data.toString()
  }
}

function toWriteOp({ action, path, record }: Write): RecordWriteOp {
  const [collection, rkey] = path.split('/') as [never, string]
  if (action === 'delete') return { action: WriteOpAction.Delete, collection, rkey }
  return { action: action === 'create' ? WriteOpAction.Create : WriteOpAction.Update, collection, rkey, record }
}
