import { expect, test } from 'vitest'
import { UNKNOWN_TREE } from './commit-part.ts'
import { unknownRepo, type RepoState } from './repo-state.ts'
import type { ClosedRun } from './run-part.ts'
import { settleRepo } from './settle-repo.ts'

const run = (rev: string, data: string): ClosedRun => ({
  did: 'did:plc:a',
  run: 'one',
  rev,
  host: undefined,
  seen: [],
  repair: null,
  reindex: false,
  closing: { rev, commit: `c-${rev}`, data, records: 0, mark: null },
})
const head = { rev: 'r5', commit: 'c5', data: 't5' }
const broken = { rev: 'r4', since: 'r3', prevData: 't3' }
const settle = (state: RepoState, complete: ClosedRun) => {
  const settled = settleRepo(state, complete, [], [], { hasRecords: false, impatient: false })
  return { head: settled.head?.rev, floor: settled.floor, broken: settled.broken?.rev ?? null }
}

test('of the revision that we have, says what it holds when nobody did', () => {
  const state = { ...unknownRepo, head: { ...head, data: UNKNOWN_TREE } }
  const settled = settleRepo(state, run('r5', 't5'), [], [], { hasRecords: true, impatient: false })
  expect(settled.head).toEqual({ rev: 'r5', commit: 'c-r5', data: 't5' })
})

test.for([
  {
    name: 'of a repo that we knew nothing of',
    state: unknownRepo,
    of: run('r5', 't5'),
    end: { head: 'r5', floor: 'r5', broken: null },
  },
  {
    name: 'newer than what we have',
    state: { ...unknownRepo, head, floor: 'r2' },
    of: run('r7', 't7'),
    end: { head: 'r7', floor: 'r7', broken: null },
  },
  {
    name: 'older than the head leaves the head',
    state: { ...unknownRepo, head },
    of: run('r4', 't4'),
    end: { head: 'r5', floor: 'r4', broken: null },
  },
  {
    name: 'never lowers the floor',
    state: { ...unknownRepo, head, floor: 'r5' },
    of: run('r4', 't4'),
    end: { head: 'r5', floor: 'r5', broken: null },
  },
  {
    name: 'that covers a hole mends it',
    state: { head, broken, floor: null },
    of: run('r4', 't4'),
    end: { head: 'r5', floor: 'r4', broken: null },
  },
  {
    name: 'of just before the hole mends it: nothing was missing',
    state: { head, broken, floor: null },
    of: run('r3', 't3'),
    end: { head: 'r5', floor: 'r3', broken: null },
  },
  {
    name: 'of the tree before the hole mends it too',
    state: { head, broken, floor: null },
    of: run('r2', 't3'),
    end: { head: 'r5', floor: 'r2', broken: null },
  },
  {
    name: 'of long before the hole does not (B15)',
    state: { head, broken, floor: null },
    of: run('r2', 't2'),
    end: { head: 'r5', floor: 'r2', broken: 'r4' },
  },
])('a snapshot $name', ({ state, of, end }) => {
  expect(settle(state, of)).toEqual(end)
})
