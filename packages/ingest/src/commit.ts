import {
  isMap,
  Link,
  PartialTree,
  readCar,
  readCommit,
  splitPath,
  type Blocks,
  type CborMap,
  type CborValue,
} from '@millrace/repo-reader'
import { InvalidEventError, isDid, isTid } from '@millrace/stream-protocol'

const MAX_COMMIT_BYTES = 2_000_000
export const MAX_SYNC_BYTES = 10_000
const MAX_OPS = 200

/** One operation as its commit lists it. */
export interface CommitOp {
  action: 'create' | 'update' | 'delete'
  path: string
  collection: string
  rkey: string
  /** The record's CID; null for a deletion. */
  cid: Link | null
  prev: Link | null
}

/** The fields of a `#commit` that are used, checked one by one but not against each other. */
export interface CommitFields {
  did: string
  rev: string
  time: string
  commit: Link
  since: string | null
  prevData: Link | null
  ops: CommitOp[]
  blocks: Uint8Array
}

/** A signed commit, after the frame around it was compared with it. */
export interface OpenedCommit {
  commit: Link
  /** Root of the repo's tree. */
  data: Link
  sig: Uint8Array
  /** The block of the commit. */
  block: Buffer
  blocks: Blocks
}

/** Says what a field of the frame should be, without its content. */
export function failField(field: string, expected: string): never {
  throw new InvalidEventError('bad-field', `${field} is not ${expected}`)
}

export function readDid(value: CborValue | undefined): string {
  if (!isDid(value)) throw new InvalidEventError('bad-did', 'the account is not a DID')
  return value
}

export function readText(body: CborMap, field: string): string {
  const value = body[field]
  return typeof value === 'string' ? value : failField(field, 'text')
}

export function readRev(body: CborMap): string {
  const { rev } = body
  return isTid(rev) ? rev : failField('rev', 'a TID')
}

export function readBytes(body: CborMap, field: string): Uint8Array {
  const value = body[field]
  return value instanceof Uint8Array ? value : failField(field, 'bytes')
}

function optionalLink(value: CborValue | undefined, field: string): Link | null {
  if (value === null || value === undefined) return null
  return value instanceof Link ? value : failField(field, 'a link')
}

/** @throws {InvalidEventError} */
export function readCommitFields(body: CborMap): CommitFields {
  const { since, commit } = body
  const ops = body['ops']
  const blocks = readBytes(body, 'blocks')
  if (!Array.isArray(ops)) return failField('ops', 'a list')
  if (ops.length > MAX_OPS) throw new InvalidEventError('too-many-ops', `a commit has ${ops.length} operations`)
  if (blocks.length > MAX_COMMIT_BYTES)
    throw new InvalidEventError('too-large', `blocks of a commit have ${blocks.length} bytes`)
  if (since !== null && since !== undefined && !isTid(since)) failField('since', 'a TID')
  const paths = new Set<string>()
  return {
    did: readDid(body['repo']),
    rev: readRev(body),
    time: readText(body, 'time'),
    commit: commit instanceof Link ? commit : failField('commit', 'a link'),
    since: since ?? null,
    prevData: optionalLink(body['prevData'], 'prevData'),
    ops: ops.map((op) => readOp(op, paths)),
    blocks,
  }
}

function readOp(op: CborValue, paths: Set<string>): CommitOp {
  if (!isMap(op)) return failOp('it is not a map')
  const { action, path } = op
  if (action !== 'create' && action !== 'update' && action !== 'delete') return failOp('it has no known action')
  const parts = typeof path === 'string' ? splitPath(path) : undefined
  if (typeof path !== 'string' || !parts) return failOp('its path is not one')
  if (paths.has(path)) return failOp('another one has the same path')
  paths.add(path)
  const cid = optionalLink(op['cid'], 'cid of an operation')
  if ((cid === null) !== (action === 'delete')) return failOp(`a ${action} ${cid ? 'has' : 'has no'} CID`)
  return { action, path, ...parts, cid, prev: optionalLink(op['prev'], 'prev of an operation') }
}

function failOp(what: string): never {
  throw new InvalidEventError('bad-op', `an operation does not hold: ${what}`)
}

/**
 * Opens the blocks of a `#commit` or `#sync` and finds the signed commit in them. With `verify`, every block's hash is
 * checked, and that the commit is the CAR's root and agrees with the frame on account and revision, which is later than
 * the one that it follows (hazard I18). Its signature is not.
 * @throws {InvalidEventError}
 */
export function openCommit(
  bytes: Uint8Array,
  { did, rev, commit, since = null }: { did: string; rev: string; commit?: Link; since?: string | null },
  verify: boolean,
): OpenedCommit {
  const { root, blocks } = readCar(bytes, { hashes: verify ? 'all' : 'none' })
  if (verify && commit && root.key !== commit.key) failCommit('it is not the root of its blocks')
  const link = commit ?? root
  const block = blocks.get(link.key)
  if (!block) throw new InvalidEventError('missing-blocks', 'the commit itself was not sent')
  const signed = readCommit(block)
  // The head of a map of up to 23 fields is one byte.
  if (block[0]! > 0xb7) failCommit('it has too many fields')
  if (verify && signed.did !== did) failCommit('it is of another account')
  if (verify && signed.rev !== rev) failCommit('it is of another revision')
  // TIDs sort as their times do.
  if (verify && since !== null && since >= rev) failCommit('it follows a revision that is not before its own')
  return { commit: link, data: signed.data, sig: signed.sig, block, blocks }
}

/**
 * The bytes that were signed: the block of a commit without its `sig`. As `unsignedCommit` of repo-reader, for a block
 * that was read already: the signature is a view of it, and its name stands right before it.
 */
export function signedBytes({ block, sig }: Pick<OpenedCommit, 'block' | 'sig'>): Uint8Array {
  const start = sig.byteOffset - block.byteOffset
  const head = sig.length < 24 ? 1 : sig.length < 0x100 ? 2 : 3
  const parts = [block.subarray(1, start - head - SIG.length), block.subarray(start + sig.length)]
  return Buffer.concat([Buffer.from([block[0]! - 1]), ...parts])
}

/** The text `sig` in CBOR. */
const SIG = '\x63sig'

function failCommit(what: string): never {
  throw new InvalidEventError('bad-commit', `the commit does not hold: ${what}`)
}

/**
 * Checks operations against the tree that was signed: what was created or updated is there under its path, what was
 * deleted is not, and, where the frame says which tree it started from, taking all operations back gives that one.
 * @throws {InvalidEventError} `bad-op`, `bad-mst`, or `missing-blocks` when nodes that prove it were not sent.
 */
export function checkOps({ ops, prevData }: CommitFields, { data, blocks }: OpenedCommit): void {
  const tree = new PartialTree(blocks, data)
  for (const { path, cid } of ops)
    if (tree.get(path) !== (cid?.key ?? null)) failOp('the signed tree has something else under its path')
  if (!prevData) return
  for (const { action, path, prev } of ops.toReversed()) {
    if ((prev === null) !== (action === 'create')) failOp(`a ${action} ${prev ? 'has' : 'has no'} previous CID`)
    if (action === 'create') tree.remove(path)
    else if (action === 'update') tree.replace(path, prev!.key)
    else tree.insert(path, prev!.key)
  }
  if (tree.rootKey() !== prevData.key)
    throw new InvalidEventError(
      'bad-commit',
      'the commit does not hold: its operations do not lead from prevData to data',
    )
}
