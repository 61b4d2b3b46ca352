import { BackfillQueue, openDatabase } from '@millrace/database'
import type { RepoEvent, StreamEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, follow, openExample } from './example-plugins.testing.ts'
import { cidOf, createEvent, EVENT_TIME, nextRev } from './testing/index.ts'

function commit(did: string, more: Partial<RepoEvent> = {}): RepoEvent {
  const rev = nextRev()
  const data = cidOf({ tree: did, rev })
  return { type: 'repo', seq: 1, time: EVENT_TIME, did, commit: cidOf({ did, rev }), rev, data, ifKnown: true, ...more }
}
const identity = (did: string): StreamEvent => ({ type: 'identity', seq: 2, time: EVENT_TIME, did, ifKnown: true })
const record = (did: string): StreamEvent => {
  const event = createEvent({ did, record: follow(bob) })
  return { ...event, since: nextRev(), data: cidOf({ tree: did, rev: event.rev }), op: 0, ops: 1 }
}

describe('where accounts are taken by collection (I25)', () => {
  pgTest(
    'what is about no record of an account that is not known is skipped, without a trace',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const events = [commit(alice), identity(alice), commit(alice, { sync: true }), record(bob), commit(alice)]
      const { outcomes } = await indexing.service.index(events)
      expect(outcomes).toEqual(['skipped', 'skipped', 'skipped', 'applied', 'skipped'])
      for (const table of ['actor', 'millrace_identity', 'millrace_repo', 'millrace_dirty'])
        expect(await indexing.query(`select did from ${table}`)).toEqual([{ did: bob }])
    },
  )

  pgTest(
    'one that becomes known is to be fetched, in whichever order its commits come (I26)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      // The first commit of all has everything, but what came between may have been passed by.
      const first = commit(alice)
      const { outcomes } = await indexing.service.index([first, identity(alice), record(alice)])
      expect([outcomes[0], outcomes[2]]).toEqual(['skipped', 'applied'])
      expect(await indexing.query('select did, reason from millrace_dirty')).toEqual([
        { did: alice, reason: 'unknown-repo' },
      ])
      // From then on every commit counts.
      const next = commit(alice)
      await indexing.service.index([next])
      expect(await indexing.query('select did from millrace_commit')).toEqual([{ did: alice }])
    },
  )

  pgTest('of one that is listed everything counts, before it is fetched', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await using database = await openDatabase({ url: databaseUrl })
    await new BackfillQueue(database).add([alice])
    const { rev, ...sync } = commit(alice, { sync: true })
    await indexing.service.index([{ ...sync, rev }])
    expect(await indexing.query('select did, rev from millrace_dirty')).toEqual([{ did: alice, rev }])
  })
})
