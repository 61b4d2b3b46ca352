import type { StoredRepo } from '@millrace/database'
import type { BackfillEvent } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { comparePage, type Standing } from './compare-page.ts'

const [r1, r2, r3] = ['3lb2222222222', '3lc2222222222', '3ld2222222222'] as const
const since = Date.parse('2024-11-20T00:00:00Z')

const listed = (rev: string, more: Partial<BackfillEvent> = {}): BackfillEvent => ({
  did: 'did:plc:a',
  host: 'https://relay.test',
  rev,
  ...more,
})
const ours = (head: string | null, more: Partial<StoredRepo> = {}): StoredRepo => ({
  did: 'did:plc:a',
  head,
  broken: false,
  status: null,
  ...more,
})
const compare = (
  row: BackfillEvent,
  repo?: StoredRepo,
  options: { sinceMs?: number; untilMs?: number; all?: boolean } = {},
) => comparePage([row], new Map(repo && [[repo.did, repo]]), { sinceMs: null, all: false, ...options })
const standing = (...args: Parameters<typeof compare>): string =>
  Object.entries(compare(...args).counts).find(([, count]) => count === 1)![0]

test.for<{
  name: string
  row: BackfillEvent
  repo?: StoredRepo
  options?: { sinceMs?: number; untilMs?: number }
  is: Standing
  fetched: boolean
}>([
  { name: 'we have its newest commit', row: listed(r2), repo: ours(r2), is: 'current', fetched: false },
  { name: 'we have a newer one than the host lists', row: listed(r2), repo: ours(r3), is: 'current', fetched: false },
  { name: 'it has moved', row: listed(r2), repo: ours(r1), is: 'moved', fetched: true },
  { name: 'its chain is broken', row: listed(r2), repo: ours(r3, { broken: true }), is: 'moved', fetched: true },
  { name: 'we have never heard of it', row: listed(r2), is: 'unknown', fetched: true },
  { name: 'we know only its account', row: listed(r2), repo: ours(null), is: 'unknown', fetched: true },
  { name: 'it is inactive (B3)', row: listed(r2, { active: false }), repo: ours(r1), is: 'inactive', fetched: false },
  {
    name: 'it has not moved since',
    row: listed(r2),
    repo: ours(r1),
    options: { sinceMs: Date.now() },
    is: 'unchanged',
    fetched: false,
  },
  {
    name: 'it has moved since',
    row: listed(r3),
    repo: ours(r1),
    options: { sinceMs: since - 10 * 365 * 86_400_000 },
    is: 'moved',
    fetched: true,
  },
  {
    name: 'we have all until after the time in question',
    row: listed(r3),
    repo: ours(r2),
    options: { untilMs: since - 10 * 365 * 86_400_000 },
    is: 'unchanged',
    fetched: false,
  },
  {
    name: 'we have all, but not until the time in question',
    row: listed(r3),
    repo: ours(r2),
    options: { untilMs: Date.now() },
    is: 'moved',
    fetched: true,
  },
  {
    name: 'something before the end of the time in question is missing',
    row: listed(r3),
    repo: ours(r2, { broken: true }),
    options: { untilMs: since - 10 * 365 * 86_400_000 },
    is: 'moved',
    fetched: true,
  },
])('a repo of which $name is $is', ({ row, repo, options, is, fetched }) => {
  expect(standing(row, repo, options)).toBe(is)
  expect(compare(row, repo, options).fetch).toEqual(fetched ? [{ did: row.did, rev: row.rev }] : [])
})

test('everything is fetched when it is to be derived anew (B20)', () => {
  expect(compare(listed(r2), ours(r2), { all: true }).fetch).toHaveLength(1)
  expect(compare(listed(r2, { active: false }), ours(r2), { all: true }).fetch).toEqual([])
})

test.for([
  { active: true, status: null, differs: false },
  { active: false, status: null, differs: true },
  { active: true, status: 'takendown', differs: true },
  { active: false, status: 'takendown', differs: false },
])('the host says active=$active and we say $status: to be checked $differs (D9)', ({ active, status, differs }) => {
  expect(compare(listed(r2, { active }), ours(r2, { status })).statusDiffers).toHaveLength(differs ? 1 : 0)
})
