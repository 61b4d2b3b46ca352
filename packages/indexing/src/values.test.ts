import { describe, expect, test } from 'vitest'
import { canonicalTime, indexedTime, instant, parseTime, uriAuthority, uriCollection, uriRkey } from './values.ts'

const epoch = '1970-01-01T00:00:00.000Z'

describe('times have one form: UTC with milliseconds (J10)', () => {
  test.each([
    ['2026-01-15T12:00:00.000Z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T12:00:00Z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T12:00:00.123456Z', '2026-01-15T12:00:00.123Z'],
    ['2026-01-15T14:00:00.5+02:00', '2026-01-15T12:00:00.500Z'],
    ['2026-01-15T14:00:00+0200', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T12:00:00', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T12:00:00.123456', '2026-01-15T12:00:00.123Z'],
    ['2026-01-15T12:00:00.123456789012', '2026-01-15T12:00:00.123Z'],
    ['2026-01-15T12:00:00.1Z', '2026-01-15T12:00:00.100Z'],
    ['2026-01-15 12:00:00', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15t12:00:00z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T12:00-01:30', '2026-01-15T13:30:00.000Z'],
    ['2026-01-15', '2026-01-15T00:00:00.000Z'],
    ['2024-02-29T12:00:00.000Z', '2024-02-29T12:00:00.000Z'],
    // Days that a month does not have are those of the next one, however they are written.
    ['2026-02-30T12:00:00.000Z', '2026-03-02T12:00:00.000Z'],
    ['2026-02-30T12:00:00Z', '2026-03-02T12:00:00.000Z'],
    ['2026-01-15T24:00:00.000Z', '2026-01-16T00:00:00.000Z'],
    ['0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    // What is no time sorts to the end, never to the top.
    ['0000-12-31T23:59:59.999Z', epoch],
    ['9999-12-31T23:59:59.999-01:00', epoch],
    ['+010000-01-01T00:00:00.000Z', epoch],
    ['2026-13-01T00:00:00.000Z', epoch],
    ['2026-02-30T25:00:00.000Z', epoch],
    ['2026-01-15T12:00:60.000Z', epoch],
    ['2026-01-32T12:00:00.000Z', epoch],
    ['2026-1-5T12:00:00Z', epoch],
    ['-2026-01-15T12:00:00Z', epoch],
    ['2026-01-15T12:00:00.Z', epoch],
    ['2026-01-15T12:00:00Z and more', epoch],
    ['Thu, 15 Jan 2026 12:00:00 GMT', epoch],
    ['1768478400000', epoch],
    ['yesterday', epoch],
    ['', epoch],
    [`2026-01-15T12:00:00.${'0'.repeat(100)}Z`, epoch],
    [undefined, epoch],
  ])('%s', (text, expected) => expect(canonicalTime(text)).toBe(expected))

  test('a time is the same in whatever zone we are', () => {
    const before = process.env['TZ']
    process.env['TZ'] = 'Asia/Kathmandu'
    try {
      expect(new Date('2026-01-15 12:00:00').toISOString()).toBe('2026-01-15T06:15:00.000Z')
      for (const text of ['2026-01-15 12:00:00', '2026-01-15T12:00:00', '2026-01-15t12:00', '2026-01-15T12:00:00Z'])
        expect(canonicalTime(text)).toBe('2026-01-15T12:00:00.000Z')
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
  })

  test('what cannot be read is told apart from the epoch where that matters', () => {
    expect(parseTime('never')).toBeUndefined()
    expect(parseTime(epoch)).toBe(epoch)
  })
})

test.each([
  ['2026-01-15T12:00:00Z', '2026-01-15T12:00:00.000000000Z'],
  ['2026-01-15T12:00:00.5+01:00', '2026-01-15T11:00:00.500000000Z'],
  ['2026-01-15T12:00:00.1239999999Z', '2026-01-15T12:00:00.123999999Z'],
  ['2026-01-15T12:00:00.1234', '2026-01-15T12:00:00.123400000Z'],
  ['yesterday at 10:00:00.1234', '1970-01-01T00:00:00.000000000Z'],
  [undefined, '1970-01-01T00:00:00.000000000Z'],
])('of %s every digit counts where instants are compared (L2)', (text, expected) =>
  expect(instant(text)).toBe(expected),
)

describe('a record was not seen later than now', () => {
  const now = '2026-01-15T12:00:00.000Z'
  test.each([
    ['the time of its frame', '2026-01-15T11:00:00Z', '2026-01-15T11:00:00.000Z'],
    ['not a time in the future', '2027-01-01T00:00:00Z', now],
    ['now when the frame tells no time', 'soon', now],
  ])('%s', (_name, upstream, expected) => expect(indexedTime(upstream, now)).toBe(expected))
})

describe('parts of an AT-URI', () => {
  test.each([
    ['at://did:plc:a/app.bsky.feed.post/3k', 'did:plc:a', 'app.bsky.feed.post', '3k'],
    ['at://a.test/app.bsky.feed.post', 'a.test', 'app.bsky.feed.post', ''],
    ['at://did:plc:a', 'did:plc:a', '', ''],
    ['did:plc:a', 'did:plc:a', '', ''],
  ])('%s', (uri, authority, collection, rkey) => {
    expect([uriAuthority(uri), uriCollection(uri), uriRkey(uri)]).toEqual([authority, collection, rkey])
  })
})
