import { type Keypair, P256Keypair, Secp256k1Keypair } from '@atproto/crypto'
import { decode, encode } from '@atproto/lex-cbor'
import { type Cid, cidForCbor, type LexMap } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile } from '@atproto/repo'
import type { VirtualClock } from './clock.ts'
import { jsonToLex, lexToJson, type RecordJson } from './lex-json.ts'
import type { DidState, PlcDirectory } from './plc-directory.ts'
import { seededBytes } from './random.ts'
import { commitBlock, type RepoCommit, type RepoWrite, SignedRepo } from './signed-repo.ts'

/** A record as its JSON form or with CIDs and bytes; or the CBOR of its block, for what no encoder would write. */
export type RecordInput = object | Uint8Array

/** One operation of a commit. */
export type RecordWrite =
  | { action: 'create'; collection: string; rkey?: string; record: RecordInput }
  | { action: 'update'; collection: string; rkey: string; record: RecordInput }
  | { action: 'delete'; collection: string; rkey: string }

/** What one operation did. */
export interface WrittenRecord {
  action: RecordWrite['action']
  uri: string
  collection: string
  rkey: string
  /** Absent after a delete. */
  cid?: Cid
}

/** How a commit appears on the firehose. The repo has it in any case. */
export type CommitFrame =
  /** As Sync 1.1 wants it. */
  | 'normal'
  /** Not at all: subscribers find a hole. */
  | 'omitted'
  /** With the deprecated flag, and neither operations nor records. */
  | 'too-big'
  /** Signed by a key that the DID document does not name. */
  | 'bad-signature'
  /** As before Sync 1.1: no `prevData`, no `prev` of operations. */
  | 'legacy'
  /** Says that its first operation wrote something else than the tree has. */
  | 'wrong-op'

/** How a host has an account. */
export type AccountStatus = 'active' | 'deactivated' | 'takendown' | 'suspended' | 'deleted'

/** A record that a repo holds now. */
export interface NetworkRecord {
  uri: string
  cid: string
  /** Null for a block that is no CBOR map. */
  record: RecordJson | null
}

/** What accounts share. */
export interface AccountContext {
  clock: VirtualClock
  plc: PlcDirectory
  /** Everything that is published, in order. */
  publish(type: string, body: LexMap): void
  seed: number
}

export interface NewAccount {
  index: number
  handle: string
  pdsUrl: string
  labelerUrl?: string | undefined
}

/** One account: its keys, its repo, and the frames that its PDS sends about it. Not for concurrent use. */
export class Account {
  readonly did: string
  readonly index: number
  readonly pdsUrl: string
  /** Signs the labels of a labeler. */
  readonly labelKeypair: Keypair | undefined
  /** A key that no DID document names. */
  readonly otherKeypair: Keypair
  readonly repo: SignedRepo
  readonly #context: AccountContext
  handle: string
  status: AccountStatus = 'active'
  commits = 1

  /** Registers the DID and announces the account as a PDS does. */
  static async create(context: AccountContext, account: NewAccount): Promise<Account> {
    const { plc, clock, seed } = context
    const { index, handle, pdsUrl, labelerUrl } = account
    // Most keys of the network are of the one kind, so both have to be met.
    const Pair = index % 8 === 5 ? P256Keypair : Secp256k1Keypair
    const keypair = await Pair.import(seededBytes(seed, 'signing key', index))
    const labelKeypair = labelerUrl ? await Secp256k1Keypair.import(seededBytes(seed, 'label key', index)) : undefined
    const otherKeypair = await Secp256k1Keypair.import(seededBytes(seed, 'other key', index))
    const state = (pds: string, labeler: string): DidState => ({
      alsoKnownAs: [`at://${handle}`],
      verificationMethods: {
        atproto: keypair.did(),
        ...(labelKeypair && { atproto_label: labelKeypair.did() }),
      },
      services: {
        atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: pds },
        ...(labelKeypair && { atproto_labeler: { type: 'AtprotoLabeler', endpoint: labeler } }),
      },
    })
    // Ports change from run to run, and the DID is a hash: the first operation names no port, the second moves here.
    const did = await plc.create(state('https://pds.test', 'https://labeler.test'), clock.iso())
    await plc.update(did, state(pdsUrl, labelerUrl ?? ''), clock.iso())
    const repo = await SignedRepo.create(did, keypair, clock.tid(index % 1024))
    const created = new Account(context, account, { did, repo, labelKeypair, otherKeypair })
    created.#publish('#identity', { handle })
    created.#publish('#account', { active: true })
    await created.announceSync()
    return created
  }

  private constructor(
    context: AccountContext,
    { index, handle, pdsUrl }: NewAccount,
    own: { did: string; repo: SignedRepo; labelKeypair: Keypair | undefined; otherKeypair: Keypair },
  ) {
    this.#context = context
    this.index = index
    this.handle = handle
    this.pdsUrl = pdsUrl
    this.did = own.did
    this.repo = own.repo
    this.labelKeypair = own.labelKeypair
    this.otherKeypair = own.otherKeypair
  }

  get isLabeler(): boolean {
    return this.labelKeypair !== undefined
  }

  get active(): boolean {
    return this.status === 'active'
  }

  /** Of no account in the network. */
  get strangerDid(): string {
    return `did:plc:${'a'.repeat(24)}`
  }

  uri(collection: string, rkey: string): string {
    return `at://${this.did}/${collection}/${rkey}`
  }

  /** Writes one commit. */
  async applyWrites(writes: readonly RecordWrite[], frame: CommitFrame = 'normal'): Promise<WrittenRecord[]> {
    const { clock } = this.#context
    const planned = writes.map((write) => {
      const { action, collection } = write
      const rkey = write.rkey ?? clock.tid(this.index % 1024)
      const path = `${collection}/${rkey}`
      const repoWrite: RepoWrite =
        action === 'delete' ? { action, path } : { action, path, bytes: blockOf(collection, write.record) }
      return { action, collection, rkey, repoWrite }
    })
    const commit = await this.repo.commit(
      planned.map(({ repoWrite }) => repoWrite),
      clock.tid(this.index % 1024),
    )
    this.commits++
    await this.#publishCommit(commit, frame)
    return planned.map(({ action, collection, rkey }, index) => {
      const cid = commit.ops[index]?.cid
      return { action, uri: this.uri(collection, rkey), collection, rkey, ...(cid && { cid }) }
    })
  }

  /** Changes whether the account can be seen. `deleted` also empties what the PDS has of it. */
  setStatus(status: AccountStatus): void {
    this.status = status
    this.#publish('#account', status === 'active' ? { active: true } : { active: false, status })
  }

  async changeHandle(handle: string): Promise<void> {
    const { plc, clock } = this.#context
    await plc.update(this.did, { alsoKnownAs: [`at://${handle}`] }, clock.iso())
    this.handle = handle
    this.#publish('#identity', { handle })
  }

  /** Declares the repo's state, as after an import. */
  async announceSync(): Promise<void> {
    this.#publish('#sync', { rev: this.repo.head.rev, blocks: await this.repo.commitCar() })
  }

  records(): NetworkRecord[] {
    return this.repo.records
      .entries()
      .map(([path, { cid, bytes }]) => ({
        uri: `at://${this.did}/${path}`,
        cid: cid.toString(),
        record: jsonOf(bytes),
      }))
      .toArray()
  }

  #publish(type: string, body: LexMap): void {
    const { publish, clock } = this.#context
    publish(type, { did: this.did, time: clock.iso(), ...body })
  }

  async #publishCommit(commit: RepoCommit, frame: CommitFrame): Promise<void> {
    const { publish, clock } = this.#context
    if (frame === 'omitted') return
    let { cid, blocks } = commit
    let ops = commit.ops.map((op) => ({ ...op }))
    if (frame === 'too-big') {
      blocks = new BlockMap([[cid, commit.blocks.get(cid) as Uint8Array]])
      ops = []
    }
    if (frame === 'bad-signature') {
      const forged = await commitBlock({ did: this.did, rev: commit.rev, data: commit.data }, this.otherKeypair)
      const rest = new BlockMap(blocks).delete(cid)
      cid = await cidForCbor(forged)
      blocks = new BlockMap([[cid, forged]]).addMap(rest)
    }
    if (frame === 'legacy') ops = ops.map(({ action, path, cid }) => ({ action, path, cid }))
    if (frame === 'wrong-op' && ops[0]) ops[0].cid = cid
    publish('#commit', {
      repo: this.did,
      commit: cid,
      rev: commit.rev,
      since: commit.since,
      blocks: await blocksToCarFile(cid, blocks),
      ops,
      ...(frame !== 'legacy' && { prevData: commit.prevData }),
      blobs: [],
      rebase: false,
      tooBig: frame === 'too-big',
      time: clock.iso(),
    })
  }
}

/** A PDS says what a record is where its author did not. */
function blockOf(collection: string, record: RecordInput): Uint8Array {
  return record instanceof Uint8Array ? record : encode(jsonToLex({ $type: collection, ...record }))
}

function jsonOf(bytes: Uint8Array): RecordJson | null {
  try {
    return lexToJson(decode(bytes))
  } catch {
    // Tests write blocks that nothing can read, and ask for the truth all the same.
    return null
  }
}
