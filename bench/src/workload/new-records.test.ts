import { recordUri } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { newRecords } from './new-records.ts'

test('every record is new, and made when it is asked for', () => {
  const startsAt = Date.parse('2026-01-02T03:04:05.000Z')
  const events = newRecords(500, { startsAt })
  expect(new Set(events.map(recordUri)).size).toBe(500)
  expect(events.every(({ type }) => type === 'create')).toBe(true)
  expect(events[0]!.time).toMatch(/^2026-01-02T03:04:05/)
})
