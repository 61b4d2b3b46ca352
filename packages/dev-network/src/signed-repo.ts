import type { Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { type Cid, cidForCbor } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, DataDiff, MemoryBlockstore, MST, signCommit } from '@atproto/repo'

/** One operation of a commit, its record already a block. */
export type RepoWrite =
  | { action: 'create' | 'update'; path: string; bytes: Uint8Array }
  | { action: 'delete'; path: string }

export interface RepoHead {
  cid: Cid
  rev: string
  /** Root of the tree. */
  data: Cid
}

/** An operation as a `#commit` frame states it. */
interface CommitOp {
  action: 'create' | 'update' | 'delete'
  path: string
  cid: Cid | null
  prev?: Cid
}

export interface RepoCommit extends RepoHead {
  since: string
  prevData: Cid
  ops: CommitOp[]
  /** Commit, new records, and the tree's nodes around each path: enough to undo the operations. */
  blocks: BlockMap
}

export interface StoredRecord {
  cid: Cid
  bytes: Uint8Array
}

/** A repo in memory. Its commits are signed, and their revisions come from the caller. */
export class SignedRepo {
  readonly did: string
  readonly #keypair: Keypair
  readonly #nodes: MemoryBlockstore
  #tree: MST
  #head: RepoHead
  #commitBytes: Uint8Array
  /** By path, `collection/rkey`. */
  readonly records = new Map<string, StoredRecord>()

  /** An empty repo with its first commit. */
  static async create(did: string, keypair: Keypair, rev: string): Promise<SignedRepo> {
    const nodes = new MemoryBlockstore()
    const tree = await MST.create(nodes)
    await nodes.putMany((await tree.getUnstoredBlocks()).blocks)
    const data = await tree.getPointer()
    const bytes = await commitBlock({ did, rev, data }, keypair)
    return new SignedRepo(did, keypair, nodes, tree, { cid: await cidForCbor(bytes), rev, data }, bytes)
  }

  private constructor(
    did: string,
    keypair: Keypair,
    nodes: MemoryBlockstore,
    tree: MST,
    head: RepoHead,
    commitBytes: Uint8Array,
  ) {
    this.did = did
    this.#keypair = keypair
    this.#nodes = nodes
    this.#tree = tree
    this.#head = head
    this.#commitBytes = commitBytes
  }

  get head(): RepoHead {
    return this.#head
  }

  /** @throws when a path is created twice, or updated or deleted without being there. */
  async commit(writes: readonly RepoWrite[], rev: string): Promise<RepoCommit> {
    let tree = this.#tree
    const ops: CommitOp[] = []
    const records = new Map<string, StoredRecord>()
    for (const write of writes) {
      const { action, path } = write
      const prev = this.records.get(path)?.cid
      if (action === 'delete') {
        tree = await tree.delete(path)
        ops.push({ action, path, cid: null, ...(prev && { prev }) })
        continue
      }
      const cid = await cidForCbor(write.bytes)
      tree = action === 'create' ? await tree.add(path, cid) : await tree.update(path, cid)
      ops.push({ action, path, cid, ...(prev && { prev }) })
      records.set(path, { cid, bytes: write.bytes })
    }
    const data = await tree.getPointer()
    const diff = await DataDiff.of(tree, this.#tree)
    const bytes = await commitBlock({ did: this.did, rev, data }, this.#keypair)
    const cid = await cidForCbor(bytes)

    await this.#nodes.putMany(diff.newMstBlocks)
    for (const removed of diff.removedCids.toList()) this.#nodes.blocks.delete(removed)

    const blocks = new BlockMap()
    blocks.set(cid, bytes)
    // A proof costs more than the nodes that it leaves out once most of the tree is new anyway.
    if (this.#nodes.blocks.size <= 2 * diff.newMstBlocks.size) blocks.addMap(this.#nodes.blocks)
    else for (const { path } of writes) blocks.addMap(await tree.getCoveringProof(path))
    for (const record of records.values()) blocks.set(record.cid, record.bytes)

    const commit: RepoCommit = { cid, rev, data, since: this.#head.rev, prevData: this.#head.data, ops, blocks }
    for (const write of writes) {
      const record = records.get(write.path)
      if (record && write.action !== 'delete') this.records.set(write.path, record)
      else this.records.delete(write.path)
    }
    this.#tree = tree
    this.#head = { cid, rev, data }
    this.#commitBytes = bytes
    return commit
  }

  /** A CAR of the commit block alone, as `#sync` frames carry it. */
  commitCar(): Promise<Uint8Array> {
    return blocksToCarFile(this.#head.cid, new BlockMap([[this.#head.cid, this.#commitBytes]]))
  }

  /** The whole repo. Another key or DID makes a CAR that has to be refused. */
  async car({ keypair, did = this.did }: { keypair?: Keypair; did?: string } = {}): Promise<Uint8Array> {
    const forged = keypair !== undefined || did !== this.did
    const { rev, data } = this.#head
    const commitBytes = forged ? await commitBlock({ did, rev, data }, keypair ?? this.#keypair) : this.#commitBytes
    const root = await cidForCbor(commitBytes)
    const blocks = new BlockMap([[root, commitBytes]])
    blocks.addMap(this.#nodes.blocks)
    for (const { cid, bytes } of this.records.values()) blocks.set(cid, bytes)
    return blocksToCarFile(root, blocks)
  }
}

/** A signed commit as a block. */
export async function commitBlock(
  { did, rev, data }: { did: string; rev: string; data: Cid },
  keypair: Keypair,
): Promise<Uint8Array> {
  return encode(await signCommit({ did, version: 3, rev, prev: null, data }, keypair))
}
