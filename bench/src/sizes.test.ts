import { expect, test } from 'vitest'
import { sizesOf } from './sizes.ts'

test('60,000 events of the live mix lead to the sizes that the README names', () => {
  expect(sizesOf(60_000)).toMatchObject({
    live: 60_000,
    compared: 20_000,
    backfill: 30_000,
    buffers: 20_000,
    backlog: { live: 200_000, backfill: 100_000 },
  })
})

test('a first look compares no more than it measures', () => {
  expect(sizesOf(3000)).toMatchObject({ live: 3000, compared: 3000, buffers: 1000 })
})
