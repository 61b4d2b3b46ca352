import { decodeAll, encode } from '@atproto/lex-cbor'
import { isCid, type Cid, type LexMap } from '@atproto/lex-data'
import { readCarWithRoot, blocksToCarFile, type BlockMap } from '@atproto/repo'
import { InvalidEventError, streamEventCodec, streams, type StreamEvent } from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { describe, expect, test } from 'vitest'
import { frameToEvents } from './convert.ts'
import { FirehoseIngester } from './firehose-ingester.ts'
import { decodeFrame } from './frame.ts'
import { recordedFrames } from './test-support/recorded.ts'
import { startRelay } from './test-support/relay.ts'
import { commitFrame, type CommitBody } from './test-support/repos.ts'
import { createTestMeter, openTestStore, running, TestLedger } from './test-support/stores.ts'

/** A recorded commit, and what its blocks are. */
interface Recorded {
  body: CommitBody
  root: Cid
  blocks: BlockMap
}

const SHARE = 15
const commits: Recorded[] = []
for (const [index, bytes] of recordedFrames('subscribeRepos').entries()) {
  // Enough for every kind of operation.
  if (index % SHARE !== 0) continue
  const [header, body] = [...decodeAll(bytes)] as [LexMap, LexMap]
  if (header['t'] !== '#commit') continue
  const commit = body as unknown as CommitBody
  commits.push({ body: commit, ...(await readCarWithRoot(commit.blocks)) })
}
const someCid = commits[0]!.root
const otherCid = commits[1]!.root

interface Mutation {
  name: string
  reason: string
  outcome?: 'discontinuous'
  /** What is changed of the frame; undefined where it does not apply. */
  change: (recorded: Recorded) => Partial<CommitBody> | Promise<Partial<CommitBody>> | undefined
}

const withRecord = ({ body }: Recorded) => body.ops.findIndex(({ cid }) => cid !== null)
const changeOp = (recorded: Recorded, index: number, fields: object): Partial<CommitBody> => ({
  ops: recorded.body.ops.map((op, at) => (at === index ? { ...op, ...fields } : op)),
})

/** The blocks without one of them. */
async function without({ root, blocks }: Recorded, cid: Cid): Promise<Partial<CommitBody>> {
  const rest = blocks.entries().filter((entry) => !entry.cid.equals(cid))
  const left = rest.reduce((map, entry) => map.set(entry.cid, entry.bytes), blocks.getMany([]).blocks)
  return { blocks: await blocksToCarFile(root, left) }
}

const mutations: Mutation[] = [
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
    name: 'it is said to have a revision that is stale (I18)',
    reason: 'bad-commit',
    change: () => ({ rev: '3aaaaaaaaaaaa' }),
  },
  {
    name: 'another commit is named as its own (I18)',
    reason: 'bad-commit',
    change: ({ root }) => ({ commit: root.equals(someCid) ? otherCid : someCid }),
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
    name: 'a record is there that the tree does not have (I18)',
    reason: 'bad-op',
    change: (recorded) => {
      const index = recorded.body.ops.findIndex(({ action }) => action === 'delete')
      return index < 0 ? undefined : changeOp(recorded, index, { action: 'create', cid: someCid, prev: null })
    },
  },
  {
    name: 'a record is said to be another block (J1)',
    reason: 'bad-op',
    change: (recorded) => {
      const index = withRecord(recorded)
      return index < 0 ? undefined : changeOp(recorded, index, { cid: someCid })
    },
  },
  {
    name: 'a record is said to be deleted (I18)',
    reason: 'bad-op',
    change: (recorded) => {
      const index = withRecord(recorded)
      return index < 0 ? undefined : changeOp(recorded, index, { action: 'delete', cid: null, prev: someCid })
    },
  },
  {
    name: 'a creation is said to be an update (I18)',
    reason: 'bad-commit',
    change: (recorded) => {
      const { body } = recorded
      const index = body.ops.findIndex(({ action }) => action === 'create')
      return index < 0 || !body.prevData ? undefined : changeOp(recorded, index, { action: 'update', prev: someCid })
    },
  },
  {
    name: 'the paths of two operations are swapped (I18)',
    reason: 'bad-op',
    change: ({ body: { ops } }) => {
      const [first, second, ...rest] = ops
      if (!first || !second || (first.cid && second.cid ? first.cid.equals(second.cid) : first.cid === second.cid))
        return undefined
      return { ops: [{ ...first, path: second.path }, { ...second, path: first.path }, ...rest] }
    },
  },
  {
    name: 'it has more operations than one may have (12)',
    reason: 'too-many-ops',
    change: ({ body }) => ({
      ops: Array.from({ length: 201 }, (_, n) => ({
        action: 'delete',
        path: `app.bsky.feed.like/${n}`,
        cid: null,
      })).concat(body.ops as never[]),
    }),
  },
  {
    name: 'its blocks are larger than they may be (12)',
    reason: 'too-large',
    change: ({ body }) => ({ blocks: Buffer.concat([body.blocks, Buffer.alloc(2_000_001 - body.blocks.length)]) }),
  },
  {
    name: 'a record was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: (recorded) => {
      const cid = recorded.body.ops[withRecord(recorded)]?.cid
      return cid ? without(recorded, cid) : undefined
    },
  },
  {
    name: 'the root of its tree was not sent (I18)',
    reason: 'missing-blocks',
    outcome: 'discontinuous',
    change: (recorded) => {
      const commit = [...decodeAll(recorded.blocks.get(recorded.root)!)][0] as { data: Cid }
      return recorded.body.ops.length > 0 && isCid(commit.data) ? without(recorded, commit.data) : undefined
    },
  },
  {
    name: 'it was too big to be sent (I18)',
    reason: 'too-big',
    outcome: 'discontinuous',
    change: () => ({ tooBig: true, blocks: new Uint8Array(), ops: [] }),
  },
]

async function mutate({ change }: Mutation, recorded: Recorded): Promise<Buffer | undefined> {
  const changed = await change(recorded)
  return changed && commitFrame({ ...recorded.body, ...changed })
}

describe('a recorded commit gives no event, and its account is marked (G4, G8, I19)', () => {
  test.each(mutations)('when $name', async (mutation) => {
    const { reason, outcome = 'invalid' } = mutation
    let tried = 0
    for (const recorded of commits) {
      const frame = await mutate(mutation, recorded)
      if (!frame) continue
      tried++
      const result = frameToEvents(decodeFrame(frame), { host: 'relay.test' })
      const { did } = decodeAccount(frame)
      expect(result).toMatchObject({ outcome, reason, events: [], dirty: [{ did, reason }] })
    }
    expect(tried).toBeGreaterThan(0)
  })

  test('when bytes follow its frame: it is no frame (I11)', () => {
    for (const { body } of commits)
      expect(() => decodeFrame(Buffer.concat([commitFrame(body), encode({})]))).toThrow(InvalidEventError)
  })
})

test('what mutated commits come to is counted by its reason, and the stream goes on behind them (G1, O1)', async () => {
  await using store = await openTestStore<StreamEvent>(streams.firehoseLive, streamEventCodec)
  const frames: Buffer[] = []
  const expected = new Map<string, number>()
  for (const mutation of mutations) {
    for (const recorded of commits) {
      const frame = await mutate(mutation, { ...recorded, body: { ...recorded.body, seq: frames.length + 1 } })
      if (!frame) continue
      frames.push(frame)
      expected.set(mutation.reason, (expected.get(mutation.reason) ?? 0) + 1)
      break
    }
  }
  const { body } = commits[0]!
  frames.push(commitFrame({ ...body, seq: frames.length + 1 }))
  await using relay = await startRelay(({ socket }) => frames.forEach((frame) => socket.send(frame)))
  const ledger = new TestLedger()
  const meter = createTestMeter()
  await using _ = running(new FirehoseIngester({ ...store, host: relay.host, ledger, meter }))
  await eventually(() => expect(store.events.at(-1)).toMatchObject({ seq: frames.length }))
  expect(new Set(store.events.map(({ seq }) => seq))).toEqual(new Set([frames.length]))
  for (const [reason, count] of expected) expect(meter.read('millrace_ingester_skipped_total', { reason })).toBe(count)
  expect(ledger.dirty).toHaveLength(mutations.length)
  expect(meter.read('millrace_ingester_frames_total')).toBe(frames.length)
})

function decodeAccount(frame: Buffer): { did: string } {
  const [, body] = [...decodeAll(frame)] as [LexMap, { repo: string }]
  return { did: body.repo }
}
