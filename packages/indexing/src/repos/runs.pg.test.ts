import { type CreateEvent, type StreamEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, carol, follow, openExample, type ExampleIndexing } from '../example-plugins.testing.ts'
import { RepoJanitor } from '../repo-janitor.ts'
import { cidOf, createEvent, deleteEvent, nextRev, runEvents, updateEvent } from '../testing/index.ts'

const followOf = (subject: string, rkey: string, rev = nextRev()): CreateEvent =>
  createEvent({ did: alice, record: follow(subject), rkey, rev })
const subjects = async ({ query }: ExampleIndexing) =>
  (await query<{ subject: string }>('select "subjectDid" as subject from follow order by 1')).map(
    ({ subject }) => subject,
  )
const followers = async ({ query }: ExampleIndexing) =>
  await query('select did, "followersCount" as count from profile_agg where "followersCount" <> 0 order by did')
const repo = async ({ query }: ExampleIndexing) =>
  (
    await query(
      'select head_rev as head, floor_rev as floor, broken_rev as broken from millrace_repo where did = $1',
      alice,
    )
  )[0]
const reported = async ({ query }: ExampleIndexing) =>
  (await query<{ rev: string }>('select "repoRev" as rev from actor_sync where did = $1', alice))[0]?.rev
const dirty = async ({ query }: ExampleIndexing) =>
  await query('select did, reason, rev from millrace_dirty order by did')
const openRuns = async ({ query }: ExampleIndexing) => (await query('select run from millrace_run')).length
const index = async ({ service }: ExampleIndexing, ...batches: StreamEvent[][]): Promise<void> => {
  for (const batch of batches) await service.index(batch)
}
/** A live commit that follows another one, or is the first. */
const live = <E extends StreamEvent>(event: E, data: string, prevData?: string): E => ({
  ...event,
  data,
  ...(prevData !== undefined && { prevData, since: '3aaaaaaaaaaaa' }),
})

describe('a whole repo', () => {
  pgTest('is complete when all of its records are in, whatever their order (B10)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const [first, second, end] = runEvents({ did: alice, records: [followOf(bob, 'a'), followOf(carol, 'b')] })
    await index(indexing, [end!], [second!])
    expect(await repo(indexing)).toBeUndefined()
    expect(await reported(indexing)).toBeUndefined()
    await index(indexing, [second!], [first!])
    expect(await repo(indexing)).toEqual({ head: end!.rev, floor: end!.rev, broken: null })
    expect(await reported(indexing)).toBe(end!.rev)
    expect(await openRuns(indexing)).toBe(0)
  })

  pgTest('counts an empty repo as complete, and what it had is gone (B11)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [followOf(bob, 'a')], runEvents({ did: alice, records: [] }))
    expect(await subjects(indexing)).toEqual([])
    expect(await followers(indexing)).toEqual([])
  })

  pgTest('removes what is older and not in it, with its counts; what is newer stays (B11)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const [kept, lost] = [followOf(bob, 'a'), followOf(carol, 'b')]
    const run = runEvents({ did: alice, records: [kept] })
    const newer = followOf('did:plc:new', 'c')
    await index(indexing, [kept, lost], [newer], run)
    expect(await subjects(indexing)).toEqual([bob, 'did:plc:new'])
    expect(await followers(indexing)).toEqual([
      { did: bob, count: 1 },
      { did: 'did:plc:new', count: 1 },
    ])
  })

  pgTest('sweeps nothing before it is complete (B8, B13)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const [kept, lost] = [followOf(bob, 'a'), followOf(carol, 'b')]
    const run = runEvents({ did: alice, records: [kept, followOf('did:plc:third', 'c')] })
    await index(indexing, [kept, lost], [run[0]!, run.at(-1)!])
    expect(await subjects(indexing)).toEqual([bob, carol])
    expect((await repo(indexing))?.['floor'] ?? null).toBeNull()
  })

  pgTest('sweeps in parts when there is much to sweep', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const many = Array.from({ length: 2_300 }, (_, i) => followOf(`did:plc:subject${i}`, `k${i}`))
    const kept = many[7]!
    await index(indexing, many, runEvents({ did: alice, records: [kept] }))
    expect(await subjects(indexing)).toEqual([kept.record['subject']])
    expect(await followers(indexing)).toHaveLength(1)
    expect(await openRuns(indexing)).toBe(0)
    expect(await indexing.query('select from millrace_tombstone')).toEqual([])
  })

  pgTest('a sweep that a crash cut short is gone on with', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const [kept, lost] = [followOf(bob, 'a'), followOf(carol, 'b')]
    const run = runEvents({ did: alice, records: [kept] })
    await index(indexing, [kept, lost], [run[0]!])
    const { rev, commit, data } = run.at(-1) as { rev: string; commit: string; data: string }
    // What the first transaction of a long sweep leaves behind.
    await indexing.query(
      "update millrace_run set records = 1, commit = $1, data = $2, updated_at = now() - interval '2 hours'",
      commit,
      data,
    )
    const janitor = new RepoJanitor({ database: indexing.database, indexing: indexing.service })
    expect(await janitor.tidy()).toBe(1)
    expect(await subjects(indexing)).toEqual([bob])
    expect(await repo(indexing)).toEqual({ head: rev, floor: rev, broken: null })
  })

  pgTest('of two the newer counts, also when the older comes last (B12)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const older = runEvents({ did: alice, records: [followOf(bob, 'a'), followOf(carol, 'b')] })
    const newer = runEvents({ did: alice, records: [followOf(bob, 'a')] })
    await index(indexing, older.slice(0, 1), newer, older)
    expect(await subjects(indexing)).toEqual([bob])
    expect((await repo(indexing))?.['floor']).toBe(
      newer.at(-1)?.type === 'repo' && (newer.at(-1) as { rev: string }).rev,
    )
    expect(await openRuns(indexing)).toBe(0)
  })

  pgTest(
    'fetched again at the same revision after a crash, either fetch completes it (B13)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const records = [followOf(bob, 'a'), followOf(carol, 'b')]
      const rev = nextRev()
      const data = 'tree'
      const first = runEvents({ did: alice, records, rev, data })
      const second = runEvents({ did: alice, records, rev, data })
      await index(indexing, first.slice(0, 1), second.slice(0, 2), first.slice(1), second)
      expect(await repo(indexing)).toEqual({ head: rev, floor: rev, broken: null })
      expect(await openRuns(indexing)).toBe(0)
    },
  )

  pgTest('is aborted when its account is deleted, and leaves no rows (B16)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const run = runEvents({ did: alice, records: [followOf(bob, 'a'), followOf(carol, 'b')] })
    const gone: StreamEvent = {
      type: 'account',
      seq: 7,
      time: run[0]!.time,
      did: alice,
      active: false,
      status: 'deleted',
      host: 'relay',
    }
    await index(indexing, run.slice(0, 1), [gone], run)
    expect(await subjects(indexing)).toEqual([])
    expect(await openRuns(indexing)).toBe(0)
    // What was heard of it stays out, and what it has is fetched when it comes back: the run has set no floor.
    expect(((await repo(indexing)) as { floor: string }).floor < run[0]!.rev).toBe(true)
  })

  pgTest('that nobody goes on with is closed, and its repo fetched again (B13)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const run = runEvents({ did: alice, records: [followOf(bob, 'a'), followOf(carol, 'b')] })
    await index(indexing, run.slice(0, 1))
    const janitor = new RepoJanitor({ database: indexing.database, indexing: indexing.service, staleRunMs: 0 })
    await janitor.tidy()
    expect(await openRuns(indexing)).toBe(0)
    expect(await dirty(indexing)).toEqual([{ did: alice, reason: 'unfinished-run', rev: run[0]!.rev }])
  })

  pgTest('that is wanted anew derives every row, although nothing has changed (B20)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const records = [followOf(bob, 'a'), followOf(carol, 'b')]
    const rev = nextRev()
    await index(indexing, runEvents({ did: alice, records, rev, data: 'tree' }))
    // What an indexer with a bug has left: a row that is missing, one that should not be, a record of nowhere.
    await indexing.query('delete from follow where "subjectDid" = $1', bob)
    await indexing.query('update profile_agg set "followersCount" = 0 where did = $1', bob)
    await indexing.query(
      `insert into record (uri, cid, did, json, "indexedAt", rev) values ('at://${alice}/test.millrace.follow/zz', 'c', $1, '{}', '', $2)`,
      alice,
      rev,
    )
    const again = runEvents({ did: alice, records, rev, data: 'tree', reindex: true })
    await index(indexing, again.slice(0, 1), again.slice(1), again)
    expect(await subjects(indexing)).toEqual([bob, carol])
    expect(await followers(indexing)).toEqual([
      { did: bob, count: 1 },
      { did: carol, count: 1 },
    ])
    expect(await indexing.query('select uri from record')).toHaveLength(2)
    expect((await repo(indexing))?.['floor']).toBe(rev)
  })

  pgTest('takes away the mark that it was fetched for, and no other (G4)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const mark = async (rev: string | null): Promise<string> => {
      const [row] = await indexing.query<{ mark: string }>(
        `insert into millrace_dirty (did, reason, rev) values ($1, 'test', $2) on conflict (did) do update set rev = $2, updated_at = clock_timestamp() returning extract(epoch from updated_at)::text as mark`,
        alice,
        rev,
      )
      return row!.mark
    }
    const fetched = (rev = nextRev(), more: object = {}) => {
      const events = runEvents({ did: alice, records: [], rev })
      return events.map((event) => ({ ...event, ...more }))
    }
    const [old, asked, newest] = [nextRev(), nextRev(), nextRev()]
    await mark(asked)
    await index(indexing, fetched(old))
    expect(await dirty(indexing)).toHaveLength(1)
    await index(indexing, fetched(asked))
    expect(await dirty(indexing)).toHaveLength(0)
    const stale = await mark(null)
    const current = await mark(null)
    await index(indexing, fetched(newest, { mark: stale }))
    expect(await dirty(indexing)).toHaveLength(1)
    await index(indexing, fetched(newest, { mark: current }))
    expect(await dirty(indexing)).toHaveLength(0)
  })

  pgTest('takes the mark away also when nothing has changed, however it is divided (G4)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const records = [followOf(bob, 'a'), followOf(carol, 'b')]
    const rev = nextRev()
    const fetched = () => runEvents({ did: alice, records, rev, data: 'tree' })
    await index(indexing, fetched())
    const [row] = await indexing.query<{ mark: string }>(
      "insert into millrace_dirty (did, reason) values ($1, 'test') returning extract(epoch from updated_at)::text as mark",
      alice,
    )
    const again = fetched().map((event) => ({ ...event, mark: row!.mark }))
    await index(indexing, again.slice(0, 1))
    expect(await dirty(indexing)).toHaveLength(1)
    await index(indexing, again.slice(1, 2), again.slice(2))
    expect(await dirty(indexing)).toEqual([])
    expect(await openRuns(indexing)).toBe(0)
  })
})

describe('the chain of commits at apply (I18, I19)', () => {
  pgTest('commits that chain are told to readers', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const first = live(followOf(bob, 'a'), 't1')
    const second = live(followOf(carol, 'b'), 't2', 't1')
    await index(indexing, [first], [second])
    expect(await repo(indexing)).toEqual({ head: second.rev, floor: null, broken: null })
    expect(await reported(indexing)).toBe(second.rev)
    expect(await dirty(indexing)).toEqual([])
  })

  pgTest(
    'two consumers that share a repo, in any order: nothing is marked, and readers are told no more than is in (X16, X24)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await using other = await openExample(databaseUrl)
      const first = live(followOf(bob, 'a'), 't1')
      const parts = [bob, carol].map((subject, op) => ({
        ...live(followOf(subject, `k${op}`, 'x'), 't2', 't1'),
        op,
        ops: 2,
      }))
      const rev = nextRev()
      const [a, b] = parts.map((part) => ({ ...part, rev, commit: cidOf(rev) }))
      const third = live(followOf('did:plc:third', 'c'), 't3', 't2')
      await index(indexing, [first])
      await index(other, [b!])
      await index(indexing, [third])
      expect(await reported(indexing)).toBe(first.rev)
      expect(await subjects(indexing)).toContain('did:plc:third')
      await index(other, [a!])
      expect(await reported(indexing)).toBe(third.rev)
      expect(await dirty(indexing)).toEqual([])
      expect(await indexing.query('select from millrace_commit')).toEqual([])
    },
  )

  pgTest('a lost commit is found, marked once, and mended by a snapshot (I19, X16)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const first = live(followOf(bob, 'a'), 't1')
    const lost = live(deleteEvent(first), 't2', 't1')
    const third = live(followOf(carol, 'b'), 't3', 't2')
    const fourth = live(updateEvent(third, follow('did:plc:fourth')), 't4', 't3')
    await index(indexing, [first], [third])
    const janitor = new RepoJanitor({ database: indexing.database, indexing: indexing.service, patienceMs: 0 })
    await janitor.tidy()
    await index(indexing, [fourth])
    expect(await dirty(indexing)).toEqual([{ did: alice, reason: 'broken-chain', rev: third.rev }])
    expect(await reported(indexing)).toBe(first.rev)
    // The snapshot is of the state before the last commit: it covers the hole all the same.
    await index(indexing, runEvents({ did: alice, records: [third], rev: third.rev, data: 't3' }))
    expect(lost.rev < third.rev).toBe(true)
    expect(await subjects(indexing)).toEqual(['did:plc:fourth'])
    expect(await repo(indexing)).toEqual({ head: fourth.rev, floor: third.rev, broken: null })
    expect(await reported(indexing)).toBe(fourth.rev)
    expect(await dirty(indexing)).toEqual([])
  })

  pgTest('a repo that breaks again and again is fetched less and less often (B17)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, runEvents({ did: alice, records: [] }))
    const waits: number[] = []
    for (let n = 0; n < 4; n++) {
      await index(indexing, [{ ...live(followOf(bob, 'a'), `t${n}`, `lost${n}`), op: 0, ops: 1 }])
      await new RepoJanitor({ database: indexing.database, indexing: indexing.service, patienceMs: 0 }).tidy()
      const [row] = await indexing.query<{ wait: number }>(
        'select extract(epoch from next_at - now())::float8 as wait from millrace_dirty where did = $1',
        alice,
      )
      waits.push(Math.round(Math.max(0, row?.wait ?? Number.NaN) / 60))
      await index(indexing, runEvents({ did: alice, records: [] }))
    }
    expect(waits).toEqual([0, 1, 2, 4])
  })
})
