import { classifyError, migrate, openDatabase, type Database } from '@millrace/database'
import { IndexingService, recount } from '@millrace/indexing'
import { createEvent, deleteEvent, EVENT_TIME, snapshotEvents, updateEvent } from '@millrace/indexing/testing'
import { recordUri, type CreateEvent, type RecordJson, type StreamEvent } from '@millrace/stream-protocol'
import { createLogSpy, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { appBskyPlugins } from './index.ts'
import { alice, bob, post, record, refTo, replyTo } from './testing/records.ts'

const now = (): number => Date.parse(EVENT_TIME) + 1_000
const open = (url: string, applicationName: string): Promise<Database> =>
  openDatabase({ url, poolSize: 4, pipeline: true, applicationName })

/** What every count is, beside what counting gives: only where they differ. One statement, so that it is true of one moment. */
async function differences({ pool }: Database): Promise<unknown[]> {
  const subjects = await pool.query(`
      select * from (
        select uri as subject,
          coalesce("likeCount", 0) as likes, (select count(*) from "like" where subject = k.uri) as "likes counted",
          coalesce("repostCount", 0) as reposts, (select count(*) from repost where subject = k.uri) as "reposts counted",
          coalesce("quoteCount", 0) as quotes, (select count(*) from quote where subject = k.uri) as "quotes counted",
          coalesce("replyCount", 0) as replies, (select count(*) from post where "replyParent" = k.uri and "violatesThreadGate" is not true) as "replies counted"
        from (select uri from post_agg union select subject from "like" union select subject from repost union select subject from quote
          union select "replyParent" from post where "replyParent" is not null) as k left join post_agg using (uri)
      ) as c where (likes, reposts, quotes, replies) <> ("likes counted", "reposts counted", "quotes counted", "replies counted")`)
  const accounts = await pool.query(`
        select * from (
          select did as subject,
            coalesce("followersCount", 0) as followers, (select count(*) from follow where "subjectDid" = k.did) as "followers counted",
            coalesce("followsCount", 0) as follows, (select count(*) from follow where creator = k.did) as "follows counted",
            coalesce("postsCount", 0) as posts, (select count(*) from post where creator = k.did) as "posts counted"
          from (select did from profile_agg union select "subjectDid" from follow union select creator from follow
            union select creator from post) as k left join profile_agg using (did)
        ) as c where (followers, follows, posts) <> ("followers counted", "follows counted", "posts counted")`)
  return [...subjects.rows, ...accounts.rows]
}

/** Tries again what failed for a moment, as the loop over a stream does. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (classifyError(error) !== 'transient') throw error
    }
  }
}

const hot = createEvent({ did: bob, record: post({ text: 'everybody answers' }) })
const gate = createEvent({
  did: bob,
  rkey: hot.rkey,
  record: record('app.bsky.feed.threadgate', { post: recordUri(hot), allow: [] }),
})

/** One account that likes, follows, answers and quotes the same few things, takes it back, leaves and returns. */
class Admirer {
  readonly #did: string
  readonly #random: (below: number) => number
  #live: CreateEvent[] = []
  #seq = 1

  constructor(did: string, seed: number) {
    this.#did = did
    let state = seed
    this.#random = (below) => (state = (state * 48_271) % 2_147_483_647) % below
  }

  /** The next batches; the last word of the first has to be known before the second. */
  next(): StreamEvent[][] {
    if (this.#random(12) === 0) {
      this.#live = []
      return [[this.#account(false)], [this.#account(true)]]
    }
    const gone = this.#live.filter(() => this.#random(3) === 0)
    const kept = this.#live.filter((event) => !gone.includes(event))
    const fresh = Array.from({ length: 1 + this.#random(5) }, () =>
      createEvent({ did: this.#did, record: this.#record() }),
    )
    const likes = kept.filter((event) => event.collection === 'app.bsky.feed.like')
    this.#live = [...kept, ...fresh]
    return [
      [
        ...gone.map((event) => deleteEvent(event)),
        ...fresh,
        ...likes.slice(0, 1).map((event) => updateEvent(event, this.#like())),
        // What has come comes again: from another relay, or in a whole repo.
        ...(this.#random(2) === 0 ? fresh : snapshotEvents(kept.slice(-3))),
      ],
    ]
  }

  #account(active: boolean): StreamEvent {
    const said = { did: this.#did, host: 'relay.test', time: EVENT_TIME, seq: this.#seq++, active }
    return { type: 'account', ...said, ...(!active && { status: 'deleted' }) }
  }

  #like(): RecordJson {
    const neverSeen = { ...refTo(hot), uri: `at://${alice}/app.bsky.feed.post/never` }
    return record('app.bsky.feed.like', { subject: this.#random(2) === 0 ? refTo(hot) : neverSeen })
  }

  #record(): RecordJson {
    switch (this.#random(6)) {
      case 0:
        return record('app.bsky.graph.follow', { subject: bob })
      case 1:
        return record('app.bsky.feed.repost', { subject: refTo(hot) })
      case 2:
        return post({ reply: replyTo(hot, hot) })
      case 3:
        return post({ embed: { $type: 'app.bsky.embed.record', record: refTo(hot) } })
      default:
        return this.#like()
    }
  }
}

const ROUNDS = 25

pgTest(
  'with many at work on the same subjects, some of them killed, every count stays or becomes what counting gives (A7)',
  { timeout: 120_000 },
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl, 'recount')
    await migrate(database)
    await using first = await open(databaseUrl, 'worker')
    await using second = await open(databaseUrl, 'worker')
    const services = await Promise.all(
      [first, second].map((each) => IndexingService.open({ database: each, plugins: appBskyPlugins, now })),
    )
    await services[0]!.index([hot])
    await database.pool.query('insert into post_agg (uri, "bookmarkCount") values ($1, 7)', [recordUri(hot)])

    const over = new AbortController()
    let batches = 0
    const work = async (worker: number, next: () => StreamEvent[][]): Promise<void> => {
      while (!over.signal.aborted) {
        for (const events of next()) {
          await insist(() => services[worker % services.length]!.index(events))
          batches += 1
        }
      }
    }
    const admirers = [0, 1, 2, 3].map((n) => new Admirer(`did:plc:admirer${n}`, 100 + n))
    let toggled = 0
    const workers = [
      ...admirers.map((admirer, n) => work(n, () => admirer.next())),
      // Its author opens and closes the thread.
      work(1, () => [[toggled++ % 2 === 0 ? updateEvent(gate, gate.record) : deleteEvent(gate)]]),
    ]

    const logger = createLogSpy()
    let wrong = 0
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const [table, column, key, subject] of [
          ['post_agg', 'likeCount', 'uri', recordUri(hot)],
          ['post_agg', 'replyCount', 'uri', recordUri(hot)],
          ['post_agg', 'likeCount', 'uri', `at://${alice}/app.bsky.feed.post/never`],
          ['profile_agg', 'followersCount', 'did', bob],
          ['profile_agg', 'postsCount', 'did', 'did:plc:admirer0'],
        ])
          await database.pool.query(`update ${table} set "${column}" = "${column}" + $1 where ${key} = $2`, [
            (round % 7) - 3,
            subject,
          ])
        await database.pool.query(`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'worker' order by random() limit 1`)
        const { columns } = await recount({ database, plugins: appBskyPlugins, chunk: 2, logger })
        for (const column of columns) wrong += column.wrong
        expect(await differences(database)).toEqual([])
      }
    }
    await Promise.all([rounds().finally(() => over.abort()), ...workers])

    expect(await differences(database)).toEqual([])
    const { rows } = await database.pool.query('select "bookmarkCount" from post_agg where uri = $1', [recordUri(hot)])
    expect(rows).toEqual([{ bookmarkCount: 7 }])
    // It waits in the order in which writers do: nobody had to be sent away.
    expect(logger.messages('warn')).toEqual([])
    // There was something to correct, and something that could have been lost meanwhile.
    expect(wrong).toBeGreaterThan(ROUNDS)
    expect(batches).toBeGreaterThan(ROUNDS)
  },
)
