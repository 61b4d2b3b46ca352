import { describe, expect, test } from 'vitest'
import { UNKNOWN_TREE, type CommitPart } from './commit-part.ts'
import { followChain, type FollowOptions } from './follow-chain.ts'
import { rangesOf } from './ranges.ts'
import { unknownRepo, type RepoState } from './repo-state.ts'

const EMPTY_TREE = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'

/** The commit of revision `r<n>`, from tree `t<n - 1>` to `t<n>`, unless it says otherwise. */
function commit(n: number, fields: Partial<CommitPart> = {}): CommitPart {
  return {
    did: 'did:plc:a',
    host: 'pds.test',
    rev: `r${n}`,
    commit: `c${n}`,
    data: `t${n}`,
    since: `r${n - 1}`,
    prevData: `t${n - 1}`,
    ops: 1,
    seen: rangesOf([0]),
    isSync: false,
    ...fields,
  }
}
const sync = (n: number, data: string): CommitPart =>
  commit(n, { data, since: null, prevData: null, ops: 0, isSync: true })
const at = (n: number, fields: Partial<RepoState> = {}): RepoState => ({
  ...unknownRepo,
  head: { rev: `r${n}`, commit: `c${n}`, data: `t${n}` },
  ...fields,
})

interface Case {
  name: string
  state: RepoState
  parts: CommitPart[]
  options?: Partial<FollowOptions>
  head: string | null
  broken?: string
  reason?: string
  waiting?: string[]
}

const cases: Case[] = [
  { name: 'commits that follow move the head', state: at(1), parts: [commit(2), commit(3)], head: 'r3' },
  { name: 'in any order', state: at(1), parts: [commit(3), commit(4), commit(2)], head: 'r4' },
  { name: 'what we are past says nothing', state: at(3), parts: [commit(2), commit(3)], head: 'r3' },
  {
    name: 'one that the relay sent before its predecessor waits (I15)',
    state: at(1),
    parts: [commit(3)],
    head: 'r1',
    waiting: ['r3'],
  },
  {
    name: 'a hole is a hole after a while: the head moves on, and the repo is marked (I19)',
    state: at(1),
    parts: [commit(3), commit(4)],
    options: { impatient: true },
    head: 'r4',
    broken: 'r3',
    reason: 'broken-chain',
  },
  {
    name: 'a later hole is what a snapshot has to cover',
    state: at(1),
    parts: [commit(3), commit(5)],
    options: { impatient: true },
    head: 'r5',
    broken: 'r5',
    reason: 'broken-chain',
  },
  {
    name: 'a missed commit that changed nothing is no hole (I18)',
    state: at(1),
    parts: [commit(3, { prevData: 't1' })],
    head: 'r3',
  },
  {
    name: 'the revision before is no proof where the tree is another one (I18)',
    state: at(1),
    parts: [commit(2, { prevData: 'other' })],
    head: 'r1',
    waiting: ['r2'],
  },
  {
    name: 'a commit without the tree before it follows by its revision (I18)',
    state: at(1),
    parts: [commit(2, { prevData: null })],
    head: 'r2',
  },
  {
    name: 'the first commit of a repo needs no other (I26)',
    state: unknownRepo,
    parts: [commit(1, { since: null, prevData: null })],
    head: 'r1',
  },
  {
    name: 'the first that we see of a repo is not its first: its history is missing (I26)',
    state: unknownRepo,
    parts: [commit(5), commit(6)],
    head: 'r6',
    broken: 'r5',
    reason: 'unknown-repo',
  },
  {
    name: 'a first commit in parts waits for its other operations',
    state: unknownRepo,
    parts: [commit(1, { since: null, prevData: null, ops: 3, seen: rangesOf([0, 2]) })],
    head: null,
    waiting: ['r1'],
  },
  {
    name: 'a commit in parts waits, and those after it with it (X16)',
    state: at(1),
    parts: [commit(2, { ops: 2 }), commit(3)],
    head: 'r1',
    waiting: ['r2', 'r3'],
  },
  {
    name: 'parts of a commit that meet are a whole',
    state: at(1),
    parts: [commit(2, { ops: 2 }), commit(2, { ops: 2, seen: rangesOf([1]) })],
    head: 'r2',
  },
  {
    name: 'an empty commit counts (I16)',
    state: at(1),
    parts: [commit(2, { ops: 0, seen: [] }), commit(3)],
    head: 'r3',
  },
  {
    name: 'a #sync of the tree that we have only moves the head (I21)',
    state: at(1),
    parts: [sync(4, 't1')],
    head: 'r4',
  },
  {
    name: 'a #sync of another tree has to be fetched, and later commits chain from it (I19, I21)',
    state: at(1),
    parts: [sync(4, 't4'), commit(5)],
    head: 'r5',
    broken: 'r4',
    reason: 'sync',
  },
  {
    name: 'a #sync of an unknown tree has to be fetched, also after another such (I21)',
    state: { ...unknownRepo, head: { rev: 'r1', commit: 'c1', data: UNKNOWN_TREE } },
    parts: [sync(4, UNKNOWN_TREE)],
    head: 'r4',
    broken: 'r4',
    reason: 'sync',
  },
  {
    name: 'a #sync of an empty repo that we know nothing of (I21)',
    state: unknownRepo,
    parts: [sync(1, EMPTY_TREE)],
    head: 'r1',
  },
  {
    name: 'a #sync of an empty repo of which we have records (I21)',
    state: unknownRepo,
    parts: [sync(1, EMPTY_TREE)],
    options: { hasRecords: true },
    head: 'r1',
    broken: 'r1',
    reason: 'sync',
  },
  {
    name: 'a repo that is marked stays so, however well later commits chain',
    state: at(1, { broken: { rev: 'r1', since: 'r0', prevData: 't0' } }),
    parts: [commit(2)],
    head: 'r2',
    broken: 'r1',
  },
]

describe('the chain of commits', () => {
  test.for(cases)('$name', ({ state, parts, options, head, broken, reason, waiting = [] }) => {
    const followed = followChain(state, parts, { hasRecords: false, impatient: false, ...options })
    expect({
      head: followed.head?.rev ?? null,
      broken: followed.broken?.rev,
      reason: followed.broke?.reason,
      waiting: followed.waiting.map((part) => part.rev),
    }).toEqual({ head, broken, reason, waiting })
  })
})

test('where operations of the commit behind a hole are missing, the state before it is not enough to mend it', () => {
  const parts = [commit(2, { ops: 2 })]
  const { broken } = followChain(at(1), parts, { hasRecords: false, impatient: true })
  expect(broken).toEqual({ rev: 'r2', since: null, prevData: null })
})
