import type { Pause } from '@millrace/database'
import { expect, test } from 'vitest'
import { checks } from './checks/index.ts'
import { diagnose } from './diagnose.ts'
import { problemCodes, problemKinds } from '../problems/problem-kinds.ts'
import type { BookkeepingFacts, DatabaseFacts, DoctorFacts, StoreFacts } from './facts.ts'

const now = Date.parse('2026-10-24T12:00:00Z')
const GIB = 2 ** 30
const idAt = (secondsAgo: number): string => `${now - secondsAgo * 1_000}-0`
const at = (secondsAgo: number): Date => new Date(now - secondsAgo * 1_000)

const store: StoreFacts = {
  description: {
    version: 'Redis 7.0.15',
    now,
    memory: { usedBytes: GIB, maxBytes: 8 * GIB, policy: 'noeviction' },
    durability: { isLogged: true, isSaving: true },
  },
  streams: [
    {
      stream: 's',
      length: 1,
      firstId: idAt(5),
      lastId: idAt(5),
      groups: [
        {
          name: 'g',
          pending: 1,
          undelivered: 0,
          oldestPendingId: idAt(5),
          lastDeliveredId: idAt(5),
          consumers: [{ name: 'one', pending: 1, idleMs: 100 }],
        },
      ],
    },
  ],
  judged: [{ stream: 's', group: 'g', verdict: 'ok', silentSeconds: 0 }],
  ghosts: [],
  epoch: 'e',
  toldTally: 7,
}
const bookkeeping: BookkeepingFacts = {
  epoch: 'e',
  tally: 7,
  leases: [{ scope: 'g', name: 'one', wanted: 'one', isLive: true }],
  upstreams: [{ host: 'relay.test', stream: 's', url: 'https://relay.test', seenSeconds: 3 }],
  letters: [],
  dirty: { count: 0, oldestSeconds: 0, futureRevs: 0, failing: 0 },
  gaps: [],
  lostEntries: 0,
  repairs: { paused: 0, idleSeconds: 0, failed: 0, diverged: 0, newest: 1 },
  runs: { count: 0, idleSeconds: 0 },
  accounts: { overdue: 0, lastError: null },
  pauses: [],
}
const database: DatabaseFacts = {
  version: 'Postgres 18',
  settings: { synchronousCommit: 'on', fsync: 'on', maxConnections: 100, maxLocks: 256, isReadOnly: false },
  connections: 10,
  blocked: [],
  invalidIndexes: [],
  migrations: { appView: 'complete', missing: [], pending: [], unknown: [] },
  disk: { freeBytes: 50 * GIB, totalBytes: 100 * GIB },
  bookkeeping,
  newestRow: at(10),
}
const well: DoctorFacts = {
  now,
  declared: [{ stream: 's', group: 'g', role: 'indexer', highWaterMark: 100 }],
  store: { ok: true, value: store },
  database: { ok: true, value: database },
  clocks: [{ of: 'store', aheadMs: 5 }],
  upstreams: [
    {
      host: 'https://relay.test',
      stream: 's',
      cursor: '900',
      probe: {
        ok: true,
        value: {
          askedAt: now,
          position: 'within',
          oldest: { seq: 10, time: at(259_200).toISOString() },
          next: { seq: 901, time: at(5).toISOString() },
        },
      },
    },
  ],
  exposure: { bind: '127.0.0.1', hasPassword: false, allowsPrivateHosts: false },
}

const withStore = (change: Partial<StoreFacts>): DoctorFacts => ({
  ...well,
  store: { ok: true, value: { ...store, ...change } },
})
const withDescription = (change: Partial<StoreFacts['description']>) =>
  withStore({ description: { ...store.description, ...change } })
const withGroup = (change: Partial<StoreFacts['streams'][number]['groups'][number]>) =>
  withStore({ streams: [{ ...store.streams[0]!, groups: [{ ...store.streams[0]!.groups[0]!, ...change }] }] })
const withDatabase = (change: Partial<DatabaseFacts>): DoctorFacts => ({
  ...well,
  database: { ok: true, value: { ...database, ...change } },
})
const withKept = (change: Partial<BookkeepingFacts>) => withDatabase({ bookkeeping: { ...bookkeeping, ...change } })
const withSettings = (change: Partial<DatabaseFacts['settings']>) =>
  withDatabase({ settings: { ...database.settings, ...change } })
const withProbe = (probe: DoctorFacts['upstreams'][number]['probe']): DoctorFacts => ({
  ...well,
  upstreams: [{ ...well.upstreams[0]!, probe }],
})
const gap = {
  id: 1,
  host: 'relay.test',
  stream: 's',
  reason: 'outdated-cursor',
  fromSeq: null,
  toSeq: null,
  since: null,
  until: null,
  openedAt: at(3_600),
  repair: null,
  repairState: null,
}
const pause: Pause = {
  kind: 'group',
  name: 'g',
  reason: 'a test',
  who: 'somebody',
  since: at(7_200),
  until: null,
  leftMs: null,
}
const away = { ok: false, why: 'it does not answer' } as const

test('a pipeline that is well has nothing to look at', () => {
  const { verdict, checks: results } = diagnose(well)
  expect(results.filter((result) => result.verdict !== 'ok')).toEqual([])
  expect(verdict).toBe('ok')
})

const cases: readonly [name: string, facts: DoctorFacts, id: string, verdict: string][] = [
  ['the store is away', { ...well, store: away }, 'store-reachable', 'fail'],
  ['the database is away', { ...well, database: away }, 'database-reachable', 'fail'],
  [
    'Redis evicts (S3)',
    withDescription({ memory: { usedBytes: 1, maxBytes: 9, policy: 'allkeys-lru' } }),
    'store-policy',
    'fail',
  ],
  [
    'Redis would evict if it had a limit',
    withDescription({ memory: { usedBytes: 1, maxBytes: null, policy: 'allkeys-lru' } }),
    'store-policy',
    'warn',
  ],
  [
    'Redis is full (S2)',
    withDescription({ memory: { usedBytes: 99, maxBytes: 100, policy: 'noeviction' } }),
    'store-memory',
    'fail',
  ],
  [
    'Redis fills up (S14)',
    withDescription({ memory: { usedBytes: 85, maxBytes: 100, policy: 'noeviction' } }),
    'store-memory',
    'warn',
  ],
  [
    'Redis has no limit',
    withDescription({ memory: { usedBytes: 85, maxBytes: null, policy: 'noeviction' } }),
    'store-memory',
    'warn',
  ],
  [
    'Redis cannot save',
    withDescription({ durability: { isLogged: true, isSaving: false } }),
    'store-durability',
    'fail',
  ],
  [
    'Redis keeps no log',
    withDescription({ durability: { isLogged: false, isSaving: true } }),
    'store-durability',
    'warn',
  ],
  ['a disk is full (X22)', withDatabase({ disk: { freeBytes: 1_000, totalBytes: GIB } }), 'disk', 'fail'],
  ['a disk fills up', withDescription({ disk: { freeBytes: GIB, totalBytes: 100 * GIB } }), 'disk', 'warn'],
  ['the database was restored (I4)', withStore({ toldTally: 5_000 }), 'database-age', 'fail'],
  ['the store was emptied (I5)', withStore({ epoch: null }), 'store-epoch', 'fail'],
  [
    'a group is missing while entries wait (S4)',
    withStore({ streams: [{ ...store.streams[0]!, groups: [] }] }),
    'groups-found',
    'fail',
  ],
  [
    'a stream was never read',
    withStore({ streams: [{ ...store.streams[0]!, length: 0, groups: [] }] }),
    'groups-found',
    'warn',
  ],
  ['a group that nobody uses keeps entries (S1)', withGroup({ name: 'old', consumers: [] }), 'groups-in-use', 'warn'],
  [
    'pending entries left their stream (S10)',
    withStore({ ghosts: [{ stream: 's', group: 'g', entries: 2 }] }),
    'entries-there',
    'fail',
  ],
  ['entries were lost (S10)', withKept({ lostEntries: 1 }), 'lost-entries', 'warn'],
  [
    'a consumer is gone for long (S6)',
    withGroup({ consumers: [{ name: 'one', pending: 1, idleMs: 3_600_000 }] }),
    'orphaned-lists',
    'fail',
  ],
  [
    'a consumer has just gone (S6)',
    withGroup({ consumers: [{ name: 'one', pending: 1, idleMs: 200_000 }] }),
    'orphaned-lists',
    'warn',
  ],
  [
    'a name is taken (S8)',
    withKept({ leases: [{ scope: 'g', name: 'one-2', wanted: 'one', isLive: true }] }),
    'consumer-names',
    'warn',
  ],
  [
    'a group stands still (G11)',
    withStore({ judged: [{ stream: 's', group: 'g', verdict: 'stalled', silentSeconds: 400 }] }),
    'stalls',
    'fail',
  ],
  [
    'a group has stopped',
    withStore({ judged: [{ stream: 's', group: 'g', verdict: 'stopped', silentSeconds: 400 }] }),
    'stalls',
    'fail',
  ],
  ['entries wait for long', withGroup({ oldestPendingId: idAt(700) }), 'lag', 'warn'],
  [
    'a stream is at its mark',
    { ...well, declared: [{ ...well.declared[0]!, highWaterMark: 1 }] },
    'high-water',
    'warn',
  ],
  [
    'migrations are to come (X23)',
    withDatabase({ migrations: { ...database.migrations, pending: ['0009-audit'] } }),
    'migrations',
    'fail',
  ],
  [
    'a newer release has migrated (X23)',
    withDatabase({ migrations: { ...database.migrations, unknown: ['0099-x'] } }),
    'migrations',
    'fail',
  ],
  [
    'the AppView is too old',
    withDatabase({ migrations: { ...database.migrations, appView: 'outdated', missing: ['x'] } }),
    'migrations',
    'fail',
  ],
  ['acked entries could vanish (X18)', withSettings({ synchronousCommit: 'off' }), 'database-settings', 'fail'],
  ['the database is read-only (X22)', withSettings({ isReadOnly: true }), 'database-settings', 'fail'],
  ['locks are few', withSettings({ maxLocks: 64 }), 'database-settings', 'warn'],
  ['connections run out (X19)', withDatabase({ connections: 95 }), 'database-connections', 'warn'],
  [
    'somebody waits for a lock',
    withDatabase({ blocked: [{ pid: 7, application: 'x', seconds: 60, by: [8], isIdle: false }] }),
    'database-locks',
    'warn',
  ],
  [
    'a transaction is left open',
    withDatabase({ blocked: [{ pid: 7, application: 'x', seconds: 90, by: [], isIdle: true }] }),
    'database-locks',
    'warn',
  ],
  ['an index is not valid', withDatabase({ invalidIndexes: ['post_x'] }), 'database-indexes', 'fail'],
  [
    'letters are open',
    withKept({
      letters: [{ reason: 'bad-json', count: 2 }],
    }),
    'dead-letters',
    'warn',
  ],
  [
    'accounts wait for a day (O6)',
    withKept({ dirty: { ...bookkeeping.dirty, count: 1, oldestSeconds: 90_000 } }),
    'dirty-accounts',
    'warn',
  ],
  [
    'revisions are in the future (J13)',
    withKept({ dirty: { ...bookkeeping.dirty, futureRevs: 1 } }),
    'dirty-accounts',
    'warn',
  ],
  ['a gap has no repair', withKept({ gaps: [gap] }), 'gaps', 'fail'],
  ['a gap is being repaired', withKept({ gaps: [{ ...gap, repair: 1 }] }), 'gaps', 'warn'],
  [
    'a repair found a difference (O8)',
    withKept({ repairs: { ...bookkeeping.repairs, diverged: 1 } }),
    'repairs',
    'fail',
  ],
  ['a repair does not move', withKept({ repairs: { ...bookkeeping.repairs, idleSeconds: 7_200 } }), 'repairs', 'warn'],
  ['a repair could not fetch', withKept({ repairs: { ...bookkeeping.repairs, failed: 1 } }), 'repairs', 'warn'],
  ['a pause has no end, and is old', withKept({ pauses: [{ ...pause, since: at(90_000) }] }), 'pauses', 'warn'],
  ['a pause is over, and nobody has noticed', withKept({ pauses: [{ ...pause, leftMs: -90_000 }] }), 'pauses', 'warn'],
  ['a repair is paused (M6)', withKept({ repairs: { ...bookkeeping.repairs, paused: 1 } }), 'repairs', 'warn'],
  ['a run does not end (B13)', withKept({ runs: { count: 1, idleSeconds: 7_200 } }), 'runs', 'warn'],
  [
    'accounts are not asked about (D9)',
    withKept({ accounts: { overdue: 1, lastError: 'no answer' } }),
    'accounts',
    'warn',
  ],
  [
    'nobody reads a host (I4)',
    withKept({ upstreams: [{ ...bookkeeping.upstreams[0]!, seenSeconds: 900 }] }),
    'ingesters',
    'fail',
  ],
  ['a host does not answer', withProbe(away), 'upstreams', 'fail'],
  [
    'the cursor is beyond (I7)',
    withProbe({ ok: true, value: { askedAt: now, position: 'future' } }),
    'upstreams',
    'fail',
  ],
  [
    'the host has forgotten (I8)',
    withProbe({ ok: true, value: { askedAt: now, position: 'outdated' } }),
    'upstreams',
    'fail',
  ],
  [
    'half of the window is used up (I14)',
    withProbe({
      ok: true,
      value: {
        askedAt: now,
        position: 'within',
        oldest: { seq: 10, time: at(200_000).toISOString() },
        next: { seq: 20, time: at(150_000).toISOString() },
      },
    }),
    'upstreams',
    'warn',
  ],
  [
    'rows are old, and events new',
    {
      ...withStore({ streams: [{ ...store.streams[0]!, length: 0, firstId: null, lastId: null }] }),
      database: { ok: true, value: { ...database, newestRow: at(7_200) } },
    },
    'freshness',
    'warn',
  ],
  ['a clock is off (J13)', { ...well, clocks: [{ of: 'database', aheadMs: -200_000 }] }, 'clock', 'fail'],
  ['the server is open (M1)', { ...well, exposure: { ...well.exposure!, bind: '0.0.0.0' } }, 'exposure', 'fail'],
  [
    'private hosts are let through',
    { ...well, exposure: { ...well.exposure!, allowsPrivateHosts: true } },
    'exposure',
    'warn',
  ],
  [
    'Redis has no password',
    { ...well, exposure: { ...well.exposure!, storeUrl: 'redis://10.0.0.1:6379', storeHasPassword: false } },
    'exposure',
    'warn',
  ],
]

test.each(cases)('%s', (_name, facts, id, verdict) => {
  const found = diagnose(facts).checks.filter((check) => check.id === id && check.verdict === verdict)
  expect(found).not.toEqual([])
  for (const finding of found) {
    expect(finding.meaning).toMatch(/\.$/)
    expect(finding.command).toMatch(/\S/)
  }
})

test('every check is tried', () => {
  expect(new Set(cases.map(([, , id]) => id))).toEqual(new Set(checks.map(({ id }) => id)))
})

test('every kind of problem is found, and only what fails wakes somebody', () => {
  const findings = cases.flatMap(([, facts]) => diagnose(facts).checks)
  const found = findings.flatMap(({ code, verdict }) => (code === undefined ? [] : [{ code, verdict }]))
  expect(new Set(found.map(({ code }) => code))).toEqual(new Set(problemCodes))
  for (const { code, verdict } of found) {
    const { severity } = problemKinds[code]
    if (severity === 'page') expect([code, verdict]).toEqual([code, 'fail'])
  }
  expect(findings.filter(({ code, verdict }) => (code === undefined) !== ['ok', 'unknown'].includes(verdict))).toEqual(
    [],
  )
})

test('what depends on who is away is not known, and nothing more is made of it', () => {
  const { verdict, checks: results } = diagnose({ ...well, store: away })
  expect(verdict).toBe('fail')
  expect(results.filter((result) => result.verdict === 'fail').map(({ id }) => id)).toEqual(['store-reachable'])
  expect(results.find(({ id }) => id === 'stalls')?.verdict).toBe('unknown')
})

test.each<[what: string, paused: Partial<Pause>, verdict: string]>([
  ['its own name', {}, 'ok'],
  ['its role', { kind: 'role', name: 'indexer' }, 'ok'],
  ['that is over', { leftMs: -1 }, 'fail'],
  ['of another group', { name: 'other' }, 'fail'],
])('a group that stands still is no alarm while it is paused: %s', (_what, paused, verdict) => {
  const stalled = { stream: 's', group: 'g', verdict: 'stopped', silentSeconds: 400 } as const
  const facts = {
    ...withStore({ judged: [stalled] }),
    database: withKept({ pauses: [{ ...pause, ...paused }] }).database,
  }
  expect(diagnose(facts).checks.find(({ id }) => id === 'stalls')?.verdict).toBe(verdict)
})
