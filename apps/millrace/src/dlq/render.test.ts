import type { DeadLetterGroup, KeptLetter } from '@millrace/database'
import { expect, test } from 'vitest'
import { renderDiscard, renderGroups, renderLetter, renderList, renderRetry } from './render.ts'

const at = new Date('2026-01-15T12:00:00.123Z')
const later = new Date('2026-01-16T12:00:00Z')
const group: DeadLetterGroup = {
  stream: 'firehose_live',
  reason: 'invalid-record',
  fingerprint: '0123456789ab',
  count: 1_234,
  firstAt: at,
  lastAt: later,
  example: { id: 7, error: 'too\u001b[2J long', did: 'did:plc:a', uri: null },
}
const letter: KeptLetter = {
  id: 7,
  stream: 'firehose_live',
  entryId: '1-0',
  reason: 'invalid-record',
  fingerprint: '0123456789ab',
  error: 'too\nlong',
  did: 'did:plc:a',
  uri: 'at://did:plc:a/b/c',
  host: null,
  state: 'kept',
  attempts: 2,
  retries: 1,
  firstAt: at,
  lastAt: later,
}

test('like letters are a line, with an example that cannot write to the terminal', () => {
  expect(renderGroups([group])).toEqual([
    '   1,234  firehose_live  invalid-record  0123456789ab  2026-01-15T12:00:00Z to 2026-01-16T12:00:00Z',
    String.raw`          e.g. 7  did:plc:a  too\u001b[2J long`,
  ])
  expect(renderGroups([])).toEqual(['There are no dead letters to decide about.'])
})

test('a list says when there may be more', () => {
  const line = String.raw`7  kept  2026-01-16T12:00:00Z  firehose_live  invalid-record  0123456789ab  at://did:plc:a/b/c  too\nlong`
  expect(renderList([letter], 2)).toEqual([line])
  expect(renderList([letter], 1)).toEqual([line, 'The newest 1; --limit shows more.'])
  expect(renderList([], 1)).toEqual(['No such letters.'])
})

test('one letter is shown whole', () => {
  expect(renderLetter({ ...letter, payload: '{"a":"\u0007"}', isCut: true })).toEqual([
    'letter       7',
    'state        kept',
    'stream       firehose_live',
    'entry        1-0',
    'reason       invalid-record',
    String.raw`error        too\nlong`,
    'fingerprint  0123456789ab',
    'account      did:plc:a',
    'uri          at://did:plc:a/b/c',
    'given up     2×, 2026-01-15T12:00:00Z to 2026-01-16T12:00:00Z',
    'put back     1×',
    String.raw`payload      {"a":"\u0007"} (it was longer)`,
  ])
})

test('what cannot be put back is named, as far as there is room', () => {
  const refused = Array.from({ length: 12 }, (_, id) => ({ id, why: 'it was cut' }))
  const lines = renderRetry({ retried: 1, refused }, true)
  expect(lines.slice(0, 3)).toEqual([
    '1 letter can be put back. Without --dry-run they are.',
    '12 letters cannot be replayed as they are:',
    '  0  it was cut',
  ])
  expect(lines.at(-1)).toBe('  and 2 more')
  expect(renderRetry({ retried: 2, refused: [] }, false)).toEqual([
    '2 letters put back: indexers take them within seconds.',
  ])
})

test('what is to be discarded is counted before it is', () => {
  expect(renderDiscard(2, false)).toBe('2 letters would be discarded. With --yes they are.')
  expect(renderDiscard(1, true)).toBe('1 letter discarded. They stay for the record.')
})
