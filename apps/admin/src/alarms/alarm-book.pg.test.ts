import { AlarmStore, migrate, openDatabase } from '@millrace/database'
import type { ProblemCode, WatchedProblem } from '@millrace/diagnosis'
import { createLogSpy, eventually, pgTest, serve } from '@millrace/testing'
import { expect } from 'vitest'
import { AlarmBook } from './alarm-book.ts'
import { WebhookLoop } from './webhook-loop.ts'
import { Webhook } from './webhook.ts'

const found = (code: ProblemCode, since = Date.now()): WatchedProblem => ({
  code,
  severity: 'page',
  subject: 's g',
  check: 'stalls',
  message: 'seen',
  meaning: 'It means.',
  command: 'do',
  since,
})

/** A server that keeps what it is told, and answers as it is told to. */
async function receiver() {
  const told: string[] = []
  const answers = { status: 200 }
  const server = await serve((request, response) => {
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (part: string) => (body += part))
    request.on('end', () => {
      if (answers.status === 200) {
        const { alerts } = JSON.parse(body) as { alerts: { event: string; code: string }[] }
        told.push(...alerts.map(({ event, code }) => `${event} ${code}`))
      }
      response.writeHead(answers.status).end()
    })
  })
  return {
    told,
    answers,
    server,
    url: `${server.url}/hook`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Tells webhooks of what is in a book until it is disposed of, as a process does. */
function telling(book: AlarmBook, ...urls: string[]) {
  const stop = new AbortController()
  const running = urls.map((url) =>
    new WebhookLoop({
      webhook: new Webhook(url),
      book,
      from: 'a test',
      everyMs: 5,
      backoff: { minMs: 10, maxMs: 20 },
    }).run(stop.signal),
  )
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(running)
    },
  }
}

pgTest('a restart tells nobody anew, and tells those who were told that it is over', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await using hook = await receiver()
  const start = Date.now()
  const first = new AlarmBook({ store: new AlarmStore(database), quietMs: 1_000 })
  {
    await using _ = telling(first, hook.url)
    await first.take([found('group-stalled', start)], start)
    await eventually(() => expect(hook.told).toEqual(['open group-stalled']))
  }
  let since = 0
  const second = new AlarmBook({
    store: new AlarmStore(database),
    quietMs: 1_000,
    onLoad: (alarms) => void (since = alarms[0]!.since),
  })
  await using _ = telling(second, hook.url)
  await second.take([found('group-stalled', start + 500), found('group-stopped', start + 500)], start + 500)
  await eventually(() => expect(hook.told).toEqual(['open group-stalled', 'open group-stopped']))
  expect(since).toBe(start)
  await second.take([found('group-stopped', start + 500)], start + 600)
  await second.take([found('group-stopped', start + 500)], start + 1_700)
  await eventually(() => expect(hook.told.at(-1)).toBe('resolve group-stalled'))
  await eventually(async () =>
    expect(
      (await new AlarmStore(database).alarms()).filter(
        ({ endedAt, told }) => endedAt === null || Object.keys(told).length > 0,
      ),
    ).toMatchObject([{ code: 'group-stopped' }]),
  )
})

pgTest('with the database away alarms are told by what is known, and kept once it is back', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await using hook = await receiver()
  const kept = new AlarmStore(database)
  const start = Date.now()
  await kept.replaceAlarms([
    {
      ...found('group-stopped', start - 9_000),
      seenAt: start,
      openedAt: start - 9_000,
      endedAt: null,
      told: { [new Webhook(hook.url).name]: start },
    },
  ])
  const closed = await openDatabase({ url: databaseUrl })
  await closed[Symbol.asyncDispose]()
  const place = { pool: closed.pool }
  const store = new AlarmStore(place)
  const logger = createLogSpy()
  const book = new AlarmBook({ store, logger })
  await using _ = telling(book, hook.url)
  await book.take([found('group-stalled', start)], start)
  await eventually(() => expect(hook.told).toEqual(['open group-stalled']))
  expect(logger.messages('warn')).toContain('cannot read alarms and silences: going on with what is known')
  // What another process had kept was not written over.
  expect((await kept.alarms()).map(({ code }) => code)).toEqual(['group-stopped'])

  place.pool = database.pool
  await book.take([found('group-stalled', start), found('group-stopped', start)], start + 10)
  expect((await kept.alarms()).map(({ code }) => code)).toEqual(['group-stopped', 'group-stalled'])
  expect(hook.told).toEqual(['open group-stalled'])
})

pgTest(
  'a webhook that fails is told in the end, and holds up nobody; a silence keeps quiet',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    await using well = await receiver()
    await using broken = await receiver()
    broken.answers.status = 500
    const store = new AlarmStore(database)
    const book = new AlarmBook({ store })
    await using _ = telling(book, well.url, broken.url)
    const expiresAt = new Date(Date.now() + 60_000)
    await store.silence({ code: 'group-stopped', subject: null, reason: 'a test', who: 'me', expiresAt })
    const look = [found('group-stalled'), found('group-stopped')]
    await book.take(look)
    await eventually(() => expect(broken.server.asked.length).toBeGreaterThan(2))
    await eventually(() => expect(well.told).toEqual(['open group-stalled']))
    expect(broken.told).toEqual([])
    broken.answers.status = 200
    await eventually(() => expect(broken.told).toEqual(['open group-stalled']))

    for (const silence of await store.silences()) await store.unsilence(silence)
    await book.take(look)
    await eventually(() =>
      expect([well.told, broken.told].map((told) => told.at(-1))).toEqual(Array(2).fill('open group-stopped')),
    )
    expect(well.told).toHaveLength(2)
  },
)
