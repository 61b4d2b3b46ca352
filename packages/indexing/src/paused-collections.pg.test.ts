import { releasePausedRepos } from '@millrace/database'
import type { CreateEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { alice, bob, carol, follow, openExample, quote, type ExampleIndexing } from './example-plugins.testing.ts'
import { createEvent, deleteEvent, nextRev, runEvents, updateEvent } from './testing/index.ts'

const FOLLOWS = 'test.millrace.follow'
const dave = 'did:plc:davedavedavedavedavedave'
const followOf = (subject: string, rkey: string): CreateEvent =>
  createEvent({ did: alice, record: follow(subject), rkey })

const followed = async ({ query }: ExampleIndexing) =>
  (await query<{ subject: string }>('select "subjectDid" as subject from follow order by 1')).map(
    ({ subject }) => subject,
  )
const counted = async ({ query }: ExampleIndexing) =>
  await query('select "followsCount" as follows from profile_agg where did = $1', alice)
const held = async ({ query }: ExampleIndexing) => await query('select collection, did from millrace_paused_repo')

/** A service of which operators have paused the follows until `resume` is called. */
async function openPaused(databaseUrl: string) {
  const paused = new Set<string>()
  const indexing = await openExample(databaseUrl, { isPaused: (collection) => paused.has(collection) })
  return {
    ...indexing,
    pause: () => void paused.add(FOLLOWS),
    resume: () => paused.clear(),
  }
}

pgTest('of a paused collection records are kept, and nothing follows from them', async ({ databaseUrl }) => {
  await using indexing = await openPaused(databaseUrl)
  const { service, query } = indexing
  const before = followOf(bob, 'a')
  await service.index([before])
  indexing.pause()
  const { outcomes } = await service.index([
    followOf(carol, 'b'),
    updateEvent(before, follow(dave)),
    createEvent({ did: bob, record: quote(`at://${alice}/test.millrace.quote/1`) }),
  ])
  // Every event ends as something (G1), and so does the commit that it belongs to.
  expect(outcomes).toEqual(['applied', 'applied', 'applied'])
  expect(await followed(indexing)).toEqual([bob])
  expect(await counted(indexing)).toEqual([{ follows: 1 }])
  expect(await query('select uri from record')).toHaveLength(3)
  expect(await query('select uri from quote')).toHaveLength(1)
  expect(await held(indexing)).toEqual([{ collection: FOLLOWS, did: alice }])

  // What is deleted goes at once, whatever is paused.
  await service.index([deleteEvent(before)])
  expect([await followed(indexing), await counted(indexing)]).toEqual([[], [{ follows: 0 }]])
})

pgTest(
  'a collection that goes on has lost nothing: its accounts are fetched, and all is as it would be',
  async ({ databaseUrl }) => {
    await using indexing = await openPaused(databaseUrl)
    const { service, query, database } = indexing
    const [kept, changed, gone] = [followOf(bob, 'a'), followOf(carol, 'b'), followOf('did:plc:gone', 'c')]
    await service.index([kept, changed, gone])
    indexing.pause()
    const update = updateEvent(changed, follow(dave))
    const [fresh, again] = [followOf('did:plc:fresh', 'd'), followOf('did:plc:fresh', 'e')]
    await service.index([update, deleteEvent(gone), fresh])
    await service.index([again])
    // The same a second time, as after a crash.
    await service.index([update, again])

    indexing.resume()
    expect(await releasePausedRepos(database)).toBe(1)
    expect(await held(indexing)).toEqual([])
    expect(await query('select did, reason, reindex from millrace_dirty')).toEqual([
      { did: alice, reason: 'paused', reindex: true },
    ])
    await service.index(runEvents({ did: alice, records: [kept, update, fresh, again], reindex: true }))

    expect(await followed(indexing)).toEqual([bob, dave, 'did:plc:fresh'].sort())
    expect(await counted(indexing)).toEqual([{ follows: 3 }])
    expect(await query('select "duplicateOf" as of from duplicate_record')).toEqual([
      { of: `at://${alice}/${FOLLOWS}/d` },
    ])
    expect(await query('select did from notification order by did')).toEqual(
      [bob, dave, 'did:plc:fresh'].sort().map((did) => ({ did })),
    )
  },
)

pgTest(
  'a record that changes while its collection is paused, and once more afterwards, has one row',
  async ({ databaseUrl }) => {
    await using indexing = await openPaused(databaseUrl)
    const { service } = indexing
    indexing.pause()
    const first = followOf(bob, 'a')
    await service.index([first])
    indexing.resume()
    const second = updateEvent(first, follow(carol))
    await service.index([second])
    expect([await followed(indexing), await counted(indexing)]).toEqual([[carol], [{ follows: 1 }]])
    await service.index(runEvents({ did: alice, records: [second], rev: nextRev(), reindex: true }))
    expect([await followed(indexing), await counted(indexing)]).toEqual([[carol], [{ follows: 1 }]])
  },
)

pgTest('an account that is fetched while a collection of it is paused is noted once more', async ({ databaseUrl }) => {
  await using indexing = await openPaused(databaseUrl)
  const { service } = indexing
  indexing.pause()
  const records = [followOf(bob, 'a')]
  await service.index(runEvents({ did: alice, records, reindex: true }))
  expect([await followed(indexing), await held(indexing)]).toEqual([[], [{ collection: FOLLOWS, did: alice }]])
})
