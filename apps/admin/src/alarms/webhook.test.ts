import type { ServerResponse } from 'node:http'
import { serve } from '@millrace/testing'
import { expect, test } from 'vitest'
import type { Notice } from './due-notices.ts'
import { webhookMessage } from './webhook-message.ts'
import { Webhook } from './webhook.ts'

const notice = (fields: Partial<Notice['alarm']> = {}, event: Notice['event'] = 'open'): Notice => ({
  event,
  alarm: {
    code: 'group-stalled',
    subject: 's g',
    severity: 'page',
    message: 'g of s has acked nothing',
    meaning: 'It waits.',
    command: 'millrace pending s g',
    since: Date.parse('2026-10-24T12:00:00Z'),
    seenAt: 0,
    openedAt: 0,
    endedAt: null,
    told: {},
    ...fields,
  },
})
const options = { from: 'a-machine', now: Date.parse('2026-10-24T12:05:00Z') }
const message = (url: string, ...notices: Notice[]) => webhookMessage(new URL(url), notices, options)

test('a webhook is told in JSON what is wrong, what that means and what to do, and in words', () => {
  expect(message('http://ops.internal:9000/hook', notice())).toEqual({
    version: 1,
    from: 'a-machine',
    sentAt: '2026-10-24T12:05:00.000Z',
    text: 'Millrace on a-machine\nALERT page group-stalled (s g): g of s has acked nothing\n    > millrace pending s g  https://github.com/millrace/millrace/blob/main/docs/runbook.md#group-stalled',
    alerts: [
      {
        event: 'open',
        code: 'group-stalled',
        severity: 'page',
        subject: 's g',
        message: 'g of s has acked nothing',
        meaning: 'It waits.',
        command: 'millrace pending s g',
        since: '2026-10-24T12:00:00.000Z',
        runbook: 'https://github.com/millrace/millrace/blob/main/docs/runbook.md#group-stalled',
      },
    ],
  })
})

test('Slack and Discord get the words in their own shape, and no more than they take', () => {
  const over = notice({}, 'resolve')
  expect(message('https://hooks.slack.com/services/T/B/x', over)).toEqual({
    text: 'Millrace on a-machine\nOVER page group-stalled (s g): g of s has acked nothing',
  })
  const many = Array.from({ length: 60 }, (_, index) => notice({ subject: `stream-${index} g` }))
  const { content, allowed_mentions } = message('https://discord.com/api/webhooks/1/x', ...many) as {
    content: string
    allowed_mentions: object
  }
  expect(content.length).toBeLessThan(2_000)
  expect(content).toMatch(/and \d+ more: millrace alerts$/)
  expect(allowed_mentions).toEqual({ parse: [] })
})

test('nothing of what strangers wrote becomes a mention or a line of its own in a chat (M3)', () => {
  const { text } = message(
    'https://hooks.slack.com/x',
    notice({ message: '<!channel> @everyone\nALERT page lag' }),
  ) as {
    text: string
  }
  expect(text.split('\n')[1]).toBe('ALERT page group-stalled (s g): ‹!channel› ＠everyone\\nALERT page lag')
})

test('only a good answer is a delivery; no redirect is followed, and the URL is told to nobody (M9)', async () => {
  await using other = await serve((_request, response) => response.end())
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/ok': (response) => response.end('ok'),
    '/busy': (response) => response.writeHead(429, { 'retry-after': '7' }).end(),
    '/moved': (response) => response.writeHead(302, { location: other.url }).end(),
    '/hangs': () => undefined,
  }
  const credentials: (string | undefined)[] = []
  await using server = await serve((request, response) => {
    credentials.push(request.headers.authorization)
    answers[request.url!]!(response)
  })
  const send = (path: string, timeoutMs = 10_000) => new Webhook(`${server.url}${path}`, { timeoutMs }).send({})
  expect(await send('/ok')).toEqual({ isDelivered: true })
  expect(await send('/busy')).toEqual({ isDelivered: false, why: 'it answers 429', waitMs: 7_000 })
  expect(await send('/moved')).toMatchObject({ isDelivered: false, why: 'it answers 302' })
  expect(other.asked).toEqual([])
  expect(await send('/hangs', 100)).toMatchObject({ isDelivered: false })

  const secret = new Webhook(`http://me:s%40crt@127.0.0.1:${server.port}/ok`)
  expect(await secret.send({})).toEqual({ isDelivered: true })
  expect(credentials.at(-1)).toBe(`Basic ${Buffer.from('me:s@crt').toString('base64')}`)
  const away = new Webhook('http://127.0.0.1:1/s3cret')
  const failed = await away.send({})
  expect(JSON.stringify([failed, away.name, secret.name])).not.toMatch(/s3cret|s@crt|s%40crt|\/ok/)
})
