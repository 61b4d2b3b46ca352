import { decodeAll, encode } from '@atproto/lex-cbor'
import { cidForCbor, isCid, type Cid, type LexMap } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, readCarWithRoot } from '@atproto/repo'
import { recordedFrames } from './recorded.ts'
import { commitFrame, type CommitBody } from './repos.ts'

/** A recorded commit, and what its blocks are. */
interface Recorded {
  /** Of its frame, in the recording. */
  index: number
  body: CommitBody
  root: Cid
  blocks: BlockMap
}

type Changed = Partial<CommitBody>

interface Mutation {
  name: string
  reason: string
  outcome?: 'discontinuous'
  /** What is changed of the frame; undefined where it does not apply. */
  change: (recorded: Recorded) => Changed | undefined | Promise<Changed | undefined>
}

const SHARE = 15
/** One in so many frames where a mutation is large. */
const FEW = SHARE * 10

/** Some of the commits: enough for every kind of operation. */
export const recordedCommits: readonly Recorded[] = await readCommits()

async function readCommits(): Promise<Recorded[]> {
  const commits: Recorded[] = []
  for (const [index, bytes] of recordedFrames('subscribeRepos').entries()) {
    if (index % SHARE !== 0) continue
    const [header, body] = [...decodeAll(bytes)] as [LexMap, LexMap]
    if (header['t'] !== '#commit') continue
    const commit = body as unknown as CommitBody
    commits.push({ index, body: commit, ...(await readCarWithRoot(commit.blocks)) })
  }
  return commits
}

/** The frame of a commit with something changed; undefined where that does not apply. */
export async function mutate({ change }: Pick<Mutation, 'change'>, recorded: Recorded): Promise<Buffer | undefined> {
  const changed = await change(recorded)
  return changed && commitFrame({ ...recorded.body, ...changed })
}

/** The blocks without one of them. */
export async function without({ root, blocks }: Recorded, cid: Cid): Promise<Changed> {
  return { blocks: await blocksToCarFile(root, new BlockMap(blocks).delete(cid)) }
}

/** The commit itself changed, and sent as what it is then. */
export async function withCommit({ root, blocks }: Recorded, change: (commit: LexMap) => LexMap): Promise<Changed> {
  const bytes = encode(change(commitOf({ root, blocks })))
  const commit = await cidForCbor(bytes)
  return { commit, blocks: await blocksToCarFile(commit, new BlockMap(blocks).delete(root).set(commit, bytes)) }
}

/** What was signed, and its signature. */
export function commitOf({ root, blocks }: Pick<Recorded, 'root' | 'blocks'>): LexMap {
  return [...decodeAll(blocks.get(root)!)][0] as LexMap
}

const [someCid, otherCid] = recordedCommits.map(({ root }) => root) as [Cid, Cid]
const otherThan = (cid: Cid) => (cid.equals(someCid) ? otherCid : someCid)
const isSame = (a: Cid | null, b: Cid | null) => (a && b ? a.equals(b) : a === b)

type Op = CommitBody['ops'][number]

/** Changes the first operation that may be changed so. */
const ofOp =
  (applies: (op: Op) => boolean, fields: object | ((op: Op) => object)): Mutation['change'] =>
  ({ body: { ops, prevData } }) => {
    const index = ops.findIndex(applies)
    // Without the tree before it, what was there is the host's word alone.
    if (index < 0 || !prevData) return undefined
    return {
      ops: ops.map((op, at) => (at === index ? { ...op, ...(typeof fields === 'object' ? fields : fields(op)) } : op)),
    }
  }

/** Changes two operations that are about different records. */
const ofTwo =
  (change: (first: Op, second: Op) => [Op, Op]): Mutation['change'] =>
  ({ body: { ops } }) => {
    const [first, second, ...rest] = ops
    return first && second && !isSame(first.cid, second.cid) ? { ops: [...change(first, second), ...rest] } : undefined
  }

const action = (name: string) => (op: Op) => op.action === name
const hasRecord = ({ cid }: Op) => cid !== null
/** A revision of a time that is long to come. */
const FUTURE = 'jzzzzzzzzzzzz'

/** One way each that a commit may be wrong, whose signature nobody looks at. */
export const mutations: readonly Mutation[] = [
  {
    name: 'a bit of its last block is flipped (G8)',
    reason: 'bad-car',
    change: ({ body: { blocks } }) => ({ blocks: blocks.with(blocks.length - 1, blocks.at(-1)! ^ 1) }),
  },
  {
    name: 'its blocks end too early (I18)',
    reason: 'bad-car',
    change: ({ body }) => ({ blocks: body.blocks.subarray(0, -1) }),
  },
  {
    name: 'bytes follow its blocks (I18)',
    reason: 'bad-car',
    change: ({ body }) => ({ blocks: Buffer.concat([body.blocks, Buffer.from([1])]) }),
  },
  {
    name: 'it is said to be of another account (I18)',
    reason: 'bad-commit',
    change: () => ({ repo: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }),
  },
  {
    name: 'the commit and the blocks are those of another account (I18)',
    reason: 'bad-commit',
    change: ({ body }) => {
      const other = recordedCommits.find(({ body: { repo } }) => repo !== body.repo)!.body
      return { commit: other.commit, blocks: other.blocks }
    },
  },
  {
    name: 'it is said to have a revision that is stale (I18)',
    reason: 'bad-commit',
    change: () => ({ rev: '3aaaaaaaaaaaa' }),
  },
  {
    name: 'it is said to follow a revision that is later than its own (I18)',
    reason: 'bad-commit',
    change: () => ({ since: FUTURE }),
  },
  {
    name: 'it is said to follow itself (I18)',
    reason: 'bad-commit',
    change: ({ body }) => ({ since: body.rev }),
  },
  {
    name: 'it has a revision of the future (I18, J13)',
    reason: 'future-rev',
    outcome: 'discontinuous',
    change: async (recorded) => ({
      rev: FUTURE,
      ...(await withCommit(recorded, (commit) => ({ ...commit, rev: FUTURE }))),
    }),
  },
  {
    name: 'another commit is named as its own (I18)',
    reason: 'bad-commit',
    change: ({ root }) => ({ commit: otherThan(root) }),
  },
  {
    name: 'another root is named before its blocks (I18)',
    reason: 'bad-commit',
    change: async ({ root, blocks }) => ({ blocks: await blocksToCarFile(otherThan(root), blocks) }),
  },
  {
    name: 'another commit is named everywhere, and was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: async ({ root, blocks }) => ({
      commit: otherThan(root),
      blocks: await blocksToCarFile(otherThan(root), blocks),
    }),
  },
  {
    name: 'its commit is of version 2 (J9)',
    reason: 'bad-commit',
    change: (recorded) => withCommit(recorded, (commit) => ({ ...commit, version: 2 })),
  },
  {
    name: 'its commit has the tree of another one, without operations (I18)',
    reason: 'bad-commit',
    change: async (recorded) =>
      recorded.body.prevData
        ? { ops: [], ...(await withCommit(recorded, (commit) => ({ ...commit, data: someCid }))) }
        : undefined,
  },
  {
    name: 'it is said to follow another tree (I18)',
    reason: 'bad-commit',
    change: ({ body }) => (body.prevData ? { prevData: someCid } : undefined),
  },
  {
    name: 'it is said to follow no revision but a word (I18)',
    reason: 'bad-field',
    change: () => ({ since: 'yesterday' }),
  },
  {
    name: 'an operation is left out (I18)',
    reason: 'bad-commit',
    change: ({ body }) => (body.prevData && body.ops.length > 0 ? { ops: body.ops.slice(1) } : undefined),
  },
  {
    name: 'an operation is there twice (I18)',
    reason: 'bad-op',
    change: ({ body }) => (body.ops[0] ? { ops: [body.ops[0], ...body.ops] } : undefined),
  },
  {
    name: 'a record is both written and deleted (I18)',
    reason: 'bad-op',
    change: ({ body: { ops } }) => {
      const written = ops.find(hasRecord)
      return written && { ops: [...ops, { action: 'delete', path: written.path, cid: null, prev: written.cid }] }
    },
  },
  {
    name: 'an operation more is there, on a record that the commit left alone (I18)',
    reason: 'bad-commit',
    change: ({ body: { ops, prevData }, root, blocks }) => {
      const { data } = commitOf({ root, blocks })
      const node = isCid(data) ? blocks.get(data) : undefined
      // The first key of a node is there whole.
      const [first] = node ? ([...decodeAll(node)][0] as { e: { k: Uint8Array; v: Cid }[] }).e : []
      const path = Buffer.from(first?.k ?? []).toString()
      if (!first || !prevData || ops.some((op) => op.path === path)) return undefined
      return { ops: [...ops, { action: 'update', path, cid: first.v, prev: someCid }] }
    },
  },
  {
    name: 'a deletion is said to be a creation (I18)',
    reason: 'bad-op',
    change: ofOp(action('delete'), { action: 'create', cid: someCid, prev: null }),
  },
  {
    name: 'a deletion is said to be an update (I18)',
    reason: 'bad-op',
    change: ofOp(action('delete'), { action: 'update', cid: someCid }),
  },
  {
    name: 'a creation is said to be an update of nothing (I18)',
    reason: 'bad-op',
    change: ofOp(action('create'), { action: 'update' }),
  },
  {
    name: 'a creation is said to be an update (I18)',
    reason: 'bad-commit',
    change: ofOp(action('create'), { action: 'update', prev: someCid }),
  },
  {
    name: 'a creation is said to be a deletion (I18)',
    reason: 'bad-op',
    change: ofOp(action('create'), ({ cid }) => ({ action: 'delete', cid: null, prev: cid })),
  },
  {
    name: 'an update is said to be a creation (I18)',
    reason: 'bad-commit',
    change: ofOp(action('update'), { action: 'create', prev: null }),
  },
  {
    name: 'an update is said to be a creation in place of another record (I18)',
    reason: 'bad-op',
    change: ofOp(action('update'), { action: 'create' }),
  },
  {
    name: 'an update is said to be a deletion (I18)',
    reason: 'bad-op',
    change: ofOp(action('update'), { action: 'delete', cid: null }),
  },
  {
    name: 'a deletion keeps its record (I18)',
    reason: 'bad-op',
    change: ofOp(action('delete'), { cid: someCid }),
  },
  {
    name: 'a record is said to be another block (J1)',
    reason: 'bad-op',
    change: ofOp(hasRecord, { cid: someCid }),
  },
  {
    name: 'a record that was there is said to have been another one (I18)',
    reason: 'bad-commit',
    change: ofOp(({ prev }) => Boolean(prev), { prev: someCid }),
  },
  {
    name: 'a record that was there is said not to have been (I18)',
    reason: 'bad-op',
    change: ofOp(({ prev }) => Boolean(prev), { prev: null }),
  },
  {
    name: 'the paths of two operations are swapped (I18)',
    reason: 'bad-op',
    change: ofTwo((first, second) => [
      { ...first, path: second.path },
      { ...second, path: first.path },
    ]),
  },
  {
    name: 'the records of two operations are swapped (I18)',
    reason: 'bad-op',
    change: ofTwo((first, second) => [
      { ...first, cid: second.cid },
      { ...second, cid: first.cid },
    ]),
  },
  ...[
    { name: 'the collection of an operation is no NSID (I18)', path: 'post/3kaaaaaaaaaaa' },
    { name: 'the collection of an operation is of no letters (I18)', path: 'app.bsky.feed.pöst/3kaaaaaaaaaaa' },
    { name: 'the record key of an operation is two dots (I18)', path: 'app.bsky.feed.post/..' },
    { name: 'the record key of an operation is empty (I18)', path: 'app.bsky.feed.post/' },
    { name: 'the record key of an operation has a slash (I18)', path: 'app.bsky.feed.post/3kaaaaaaaaaaa/a' },
    { name: 'the path of an operation is a collection alone (I18)', path: 'app.bsky.feed.post' },
  ].map(({ name, path }) => ({ name, reason: 'bad-op', change: ofOp(() => true, { path }) })),
  {
    name: 'an action is none (I18)',
    reason: 'bad-op',
    change: ofOp(() => true, { action: 'move' }),
  },
  {
    name: 'it has more operations than one may have (12)',
    reason: 'too-many-ops',
    change: ({ body, index }) => {
      if (index % FEW !== 0) return undefined
      const more = Array.from({ length: 201 }, (_, n) => ({
        action: 'delete',
        path: `app.bsky.feed.like/${n}`,
        cid: null,
      }))
      return { ops: [...more, ...body.ops] }
    },
  },
  {
    name: 'its blocks are larger than they may be (12)',
    reason: 'too-large',
    change: ({ body: { blocks }, index }) =>
      index % FEW === 0 ? { blocks: Buffer.concat([blocks, Buffer.alloc(2_000_001 - blocks.length)]) } : undefined,
  },
  {
    name: 'a record was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: (recorded) => {
      const cid = recorded.body.ops.find(hasRecord)?.cid
      return cid ? without(recorded, cid) : undefined
    },
  },
  {
    name: 'the root of its tree was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: (recorded) => {
      const { data } = commitOf(recorded)
      return recorded.body.ops.length > 0 && isCid(data) ? without(recorded, data) : undefined
    },
  },
  {
    name: 'its commit was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: (recorded) => without(recorded, recorded.root),
  },
  {
    name: 'its blocks are none (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: () => ({ blocks: new Uint8Array() }),
  },
  {
    name: 'it was too big to be sent (I18)',
    reason: 'too-big',
    outcome: 'discontinuous',
    change: () => ({ tooBig: true, blocks: new Uint8Array(), ops: [] }),
  },
  {
    name: 'it is a rebase (I18)',
    reason: 'rebase',
    outcome: 'discontinuous',
    change: () => ({ rebase: true }),
  },
]
