import { expect, test } from 'vitest'
import { allAccounts, readPlace, writePlace, type ListSteps } from './list-place.ts'

const steps: ListSteps = ['app.bsky.graph.follow', 'xyz.statusphere.status', null]

test.each([
  { step: 0, cursor: 'opaque::1 with spaces\n' },
  { step: 1, cursor: null },
  { step: 2, cursor: null },
  { step: 2, cursor: 'opaque::2' },
])('a place is found again: $step, $cursor', (place) => {
  expect(readPlace(steps, writePlace(steps, place))).toEqual(place)
})

test('of all accounts a place is the cursor of their host', () => {
  expect(writePlace(allAccounts, { step: 0, cursor: 'opaque::1' })).toBe('opaque::1')
  expect(readPlace(allAccounts, 'opaque::1')).toEqual({ step: 0, cursor: 'opaque::1' })
})

test.each([
  { name: 'nothing', steps, text: null },
  { name: 'a list of all accounts', steps, text: 'opaque::1' },
  { name: 'a collection that is not listed any more', steps, text: 'by-collection app.bsky.feed.post 7' },
  { name: 'a list by collection, of all accounts', steps: allAccounts, text: 'by-collection app.bsky.feed.post 7' },
])('begins after $name', ({ steps: of, text }) => {
  expect(readPlace(of, text)).toEqual({ step: 0, cursor: null })
})
