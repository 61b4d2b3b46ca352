import { AlarmStore, migrate, openDatabase } from '@millrace/database'
import { readConfig } from '@millrace/runtime'
import { pgTest, serve } from '@millrace/testing'
import { expect } from 'vitest'
import { AlarmBook } from '../alarms/alarm-book.ts'
import { Webhook } from '../alarms/webhook.ts'
import { adminConfig } from '../config.ts'
import { describePipeline } from '../describe-pipeline.ts'
import { LocalApi } from '../local-api.ts'

const described = describePipeline(readConfig(adminConfig, {}), { bind: '127.0.0.1', hasPassword: false })
const store = { kind: 'redis', location: 'nowhere', why: 'it is away' } as const
const operator = { who: 'a test', role: 'operator' } as const

pgTest(
  'alarms are silenced once, for a reason, until somebody takes it back; all of it is noted (M4)',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    const book = new AlarmBook({ store: new AlarmStore(database) })
    const now = Date.now()
    const seen = { subject: 's g', check: 'c', message: 'seen', meaning: 'It means.', command: 'do', since: now }
    await book.take([
      { ...seen, code: 'group-stalled', severity: 'page' },
      { ...seen, code: 'lag', severity: 'ticket' },
    ])
    const api = new LocalApi({ ...described, store, database, alarms: book }, operator)
    const states = async () =>
      (await api.call('listAlerts', {})).alerts.map(({ code, state, silencedUntil }) => [code, state, silencedUntil])
    expect(await states()).toEqual([
      ['group-stalled', 'open', undefined],
      ['lag', 'pending', undefined],
    ])

    const silence = { code: 'group-stalled', subject: 's g', seconds: 3_600, reason: "it's known" }
    await expect(api.call('silenceAlert', { ...silence, code: 'store-unlimited' })).rejects.toMatchObject({
      error: 'UnknownAlert',
    })
    await expect(api.call('silenceAlert', { ...silence, reason: '' })).rejects.toMatchObject({
      error: 'InvalidRequest',
    })
    expect((await api.call('silenceAlert', { ...silence, dryRun: true })).change).toMatchObject({
      changed: 1,
      dryRun: true,
    })
    expect((await api.call('listAlerts', {})).silences).toEqual([])
    const made = await api.call('silenceAlert', silence)
    expect(made.change).toMatchObject({ changed: 1, undo: "millrace alerts unsilence group-stalled --subject 's g'" })
    expect((await api.call('silenceAlert', silence)).change.changed).toBe(0)
    expect(await states()).toContainEqual(['group-stalled', 'open', made.expiresAt])
    expect((await api.call('listAlerts', {})).silences).toMatchObject([
      { code: 'group-stalled', subject: 's g', reason: "it's known", who: 'a test' },
    ])
    // Without a process that keeps them they are what it has kept.
    const direct = new LocalApi({ ...described, store, database }, operator)
    expect((await direct.call('listAlerts', {})).alerts).toHaveLength(2)

    expect((await api.call('unsilenceAlert', { code: 'group-stalled' })).change.changed).toBe(0)
    const ended = await api.call('unsilenceAlert', { code: 'group-stalled', subject: 's g' })
    expect(ended.change).toMatchObject({
      changed: 1,
      undo: expect.stringMatching(
        /^millrace alerts silence group-stalled --subject 's g' --for \d+s --reason 'it'\\''s known'$/,
      ),
    })
    expect((await api.call('listAlerts', {})).silences).toEqual([])
    expect((await api.call('listAudit', {})).entries.map(({ method, target }) => [method, target])).toEqual([
      ['unsilenceAlert', 'group-stalled (s g)'],
      ['silenceAlert', 'group-stalled (s g)'],
    ])
  },
)

pgTest('a test is sent to every webhook, and each is told of by what it has answered', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  await migrate(database)
  await using hook = await serve((request, response) => response.writeHead(request.url === '/well' ? 200 : 404).end())
  const none = new LocalApi({ ...described, store, database }, operator)
  expect(await none.call('sendTestAlert', {})).toMatchObject({ change: { changed: 0 }, deliveries: [] })
  const webhooks = ['/well', '/wrong'].map((path) => new Webhook(hook.url + path))
  const api = new LocalApi({ ...described, store, database, webhooks }, operator)
  expect((await api.call('sendTestAlert', { dryRun: true })).deliveries).toEqual([])
  expect(hook.asked).toEqual([])
  expect(await api.call('sendTestAlert', {})).toMatchObject({
    change: { changed: 1, summary: '1 of 2 webhooks have taken a test' },
    deliveries: [
      { webhook: webhooks[0]!.name, isDelivered: true },
      { webhook: webhooks[1]!.name, isDelivered: false, why: 'it answers 404' },
    ],
  })
})
