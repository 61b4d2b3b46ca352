import { createHash } from 'node:crypto'
import { readStreamEvent, streamEventCodec, type JsonObject } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { generateWorkload } from './workload.ts'

test.each([
  { options: { events: 20_000 }, sha256: '2e472958e86f95319c06ce6364cb5ca76440911891692c74573b9c272a304170' },
  {
    options: { events: 1000, actors: 100, seed: 3 },
    sha256: '896f262bba080a3949e52f4ed625c52ba8c52e7de660902dfdb8cce53b8dfc6f',
  },
])('the events of $options never change, so that numbers stay comparable', ({ options, sha256 }) => {
  const lines = generateWorkload(options).map((event) => `${streamEventCodec.encode(event)}\n`)
  expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(sha256)
})

test('every event is valid, and the mix is that of the live network', () => {
  const events = generateWorkload({ events: 5000 })
  for (const event of events) readStreamEvent(event as unknown as JsonObject)
  const count = (type: string, name = '') =>
    events.filter((event) => event.type === type && 'collection' in event && event.collection.endsWith(name)).length
  expect({
    likes: Math.round(count('create', '.like') / 500),
    posts: Math.round(count('create', '.post') / 500),
    follows: Math.round(count('create', '.follow') / 500),
    deletions: count('delete') > 200,
  }).toEqual({ likes: 5, posts: 2, follows: 1, deletions: true })
})
