import { createLogSpy, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'
import { PauseWatch } from './pause-watch.ts'
import { countPausedRepos, pausedRepoStatement, releasePausedRepos } from './paused-repos.ts'
import { Pauses } from './pauses.ts'

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

const group = { kind: 'group', name: 'g' } as const
const likes = { kind: 'collection', name: 'app.bsky.feed.like' } as const
const said = { reason: 'a test', who: 'somebody' }
/** Of a pause that was over a moment ago, also where the clock is set back a little. */
const OVER_MS = -1_000

pgTest('a pause is heard at the next look, and so is its end', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const pauses = new Pauses(database)
  await pauses.set({ ...group, ...said, forMs: null })
  const watch = await PauseWatch.open({ database })
  expect([watch.isPaused('group', 'g'), watch.isPaused('role', 'g')]).toEqual([true, false])
  await pauses.set({ ...likes, ...said, forMs: 60_000 })
  expect(watch.isPaused('collection', likes.name)).toBe(false)
  await watch.look()
  expect(watch.isPaused('collection', likes.name)).toBe(true)
  expect(watch.leftMs('collection', likes.name)).toBeLessThan(61_000)

  expect([await pauses.clear(group), await pauses.clear(group)]).toEqual([true, false])
  await watch.look()
  expect(watch.isPaused('group', 'g')).toBe(false)
})

pgTest('a pause whose time is over holds nothing, and whoever sees it takes it away', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const pauses = new Pauses(database)
  await pauses.set({ ...group, ...said, forMs: OVER_MS })
  expect(await pauses.list()).toMatchObject([{ ...group, ...said }])
  const watch = await PauseWatch.open({ database })
  expect([watch.isPaused('group', 'g'), await pauses.list()]).toEqual([false, []])
})

pgTest(
  'while the database is away what was known holds, and ends by our own clock',
  async ({ databaseUrl, signal }) => {
    await using database = await open(databaseUrl)
    const pauses = new Pauses(database)
    await pauses.set({ ...group, ...said, forMs: null })
    await pauses.set({ ...likes, ...said, forMs: 1_500 })
    let away = false
    const pool = {
      query: (...args: Parameters<Database['pool']['query']>) =>
        away ? Promise.reject(new Error('away')) : database.pool.query(...args),
    } as Database['pool']
    const log = createLogSpy()
    const watch = await PauseWatch.open({ database: { pool }, everyMs: 5, logger: log })
    expect(watch.isPaused('collection', likes.name)).toBe(true)
    away = true
    await pauses.clear(group)
    const stop = new AbortController()
    const running = watch.run(AbortSignal.any([signal, stop.signal]))
    try {
      await expect.poll(() => watch.isPaused('collection', likes.name), { timeout: 10_000 }).toBe(false)
      expect(watch.isPaused('group', 'g')).toBe(true)
      expect(log.entries.filter(({ message }) => message.startsWith('cannot see'))).toHaveLength(1)
      away = false
      await expect.poll(() => watch.isPaused('group', 'g'), { timeout: 10_000 }).toBe(false)
    } finally {
      stop.abort()
      await running
    }
  },
)

pgTest(
  'accounts that were passed over are fetched once their own collection is resumed (G4)',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    const pauses = new Pauses(database)
    const reposts = { kind: 'collection', name: 'app.bsky.feed.repost' } as const
    for (const each of [likes, reposts]) await pauses.set({ ...each, ...said, forMs: null })
    const passedOver = [
      { collection: likes.name, did: 'did:plc:a' },
      { collection: likes.name, did: 'did:plc:b' },
      { collection: reposts.name, did: 'did:plc:b' },
      { collection: reposts.name, did: 'did:plc:c' },
    ]
    await database.pool.query(pausedRepoStatement(passedOver))
    await database.pool.query(pausedRepoStatement(passedOver))
    expect(Object.fromEntries(await countPausedRepos(database, 1))).toEqual({ [likes.name]: 1, [reposts.name]: 1 })
    expect(await releasePausedRepos(database)).toBe(0)

    await pauses.clear(likes)
    expect([await releasePausedRepos(database), await releasePausedRepos(database)]).toEqual([2, 0])
    const marks = async () =>
      (
        await database.pool.query(
          `select did, reason, reindex, next_at < now() + interval '1 second' as due from millrace_dirty order by did`,
        )
      ).rows
    const mark = { reason: 'paused', reindex: true, due: true }
    expect(await marks()).toEqual([
      { did: 'did:plc:a', ...mark },
      { did: 'did:plc:b', ...mark },
    ])
    await pauses.set({ ...reposts, ...said, forMs: OVER_MS })
    expect(await releasePausedRepos(database)).toBe(2)
    expect(await marks()).toHaveLength(3)
  },
)
