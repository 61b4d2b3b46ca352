import type { DoctorFacts, GroupVerdict, Look } from '@millrace/diagnosis'
import { eventually, serve } from '@millrace/testing'
import { expect, test } from 'vitest'
import { DeadmanLoop, whyNotAtWork } from './deadman-loop.ts'
import { Webhook } from './webhook.ts'

const declared = [
  { stream: 's', group: 'g', role: 'indexer' as const, highWaterMark: 10 },
  { stream: 't', group: 'g', role: 'indexer' as const, highWaterMark: 10 },
]

/** What a look says, taken now, when the groups are judged so. */
function facts(verdicts: Record<string, GroupVerdict>, { lengthOfT = 0, now = Date.now() } = {}): DoctorFacts {
  const status = (stream: string, length: number) => ({ stream, length, firstId: null, lastId: null, groups: [] })
  return {
    now,
    declared,
    store: {
      ok: true,
      value: {
        description: { version: 'a test', now },
        streams: [status('s', 1), status('t', lengthOfT)],
        judged: Object.entries(verdicts).map(([stream, verdict]) => ({
          stream,
          group: 'g',
          verdict,
          silentSeconds: 0,
        })),
        ghosts: [],
        epoch: null,
        toldTally: 0,
      },
    },
    database: undefined,
    clocks: [],
    upstreams: [],
  }
}
const why = (given: DoctorFacts | undefined) => whyNotAtWork(given, declared, Date.now())

test('all is at work while every group that has to be acks, or has nothing to do', () => {
  expect(why(facts({ s: 'ok', t: 'idle' }))).toBeUndefined()
  expect(why(facts({ s: 'ok' }))).toBeUndefined()
})

test.each([
  ['a group stands still', facts({ s: 'stalled', t: 'idle' }), 'g of s is stalled'],
  ['a group has stopped', facts({ s: 'ok', t: 'stopped' }), 'g of t is stopped'],
  ['a group is far behind', facts({ s: 'slow', t: 'idle' }), 'g of s is slow'],
  ['nobody reads a stream that has entries', facts({ s: 'ok' }, { lengthOfT: 1 }), 'g of t is missing'],
  ['no group was ever there', facts({}), 'g of s is missing'],
  ['nobody has looked yet', undefined, 'nobody has looked lately'],
  ['who looks has stopped', facts({ s: 'ok' }, { now: Date.now() - 180_000 }), 'nobody has looked lately'],
  [
    'the store is away',
    { ...facts({ s: 'ok' }), store: { ok: false, why: 'x' } } as DoctorFacts,
    'the store of streams does not answer',
  ],
])('not all is at work when %s', (_name, given, reason) => {
  expect(why(given)).toBe(reason)
})

test('the dead-man URL is asked for only while all is at work, so that whoever waits for it hears of the rest (O6)', async () => {
  await using server = await serve((_request, response) => response.end())
  const watch: { last: Look | undefined } = { last: undefined }
  const look = (verdict: GroupVerdict): void =>
    void (watch.last = { facts: facts({ s: verdict }), problems: [], diagnosis: undefined as never })
  const stop = new AbortController()
  const loop = new DeadmanLoop({ url: new Webhook(`${server.url}/ping`), watch, declared, everyMs: 5 })
  const running = loop.run(stop.signal)
  try {
    const rounds = () => new Promise((resolve) => setTimeout(resolve, 50))
    await rounds()
    expect(server.asked).toEqual([])
    look('ok')
    await eventually(() => expect(server.asked.length).toBeGreaterThan(1))
    look('stalled')
    // What was on its way arrives.
    await eventually(async () => {
      const asked = server.asked.length
      await rounds()
      expect(server.asked.length).toBe(asked)
    })
  } finally {
    stop.abort()
    await running
  }
})
