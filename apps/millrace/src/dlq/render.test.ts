import type { GetDeadLetterGroupsGroup, ListDeadLettersLetter } from '@millrace/admin-api'
import { expect, test } from 'vitest'
import { renderGroups, renderLetter, renderList, renderRetry } from './render.ts'

const at = '2026-01-15T12:00:00.123Z'
const later = '2026-01-16T12:00:00.000Z'
const group: GetDeadLetterGroupsGroup = {
  stream: 'firehose_live',
  reason: 'invalid-record',
  fingerprint: '0123456789ab',
  count: 1_234,
  firstAt: at,
  lastAt: later,
  example: 7,
  error: 'too\u001b[2J long',
  did: 'did:plc:a',
}
const letter: ListDeadLettersLetter = {
  id: 7,
  stream: 'firehose_live',
  entryId: '1-0',
  reason: 'invalid-record',
  fingerprint: '0123456789ab',
  error: 'too\nlong',
  did: 'did:plc:a',
  uri: 'at://did:plc:a/b/c',
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
  expect(renderList({ letters: [letter] })).toEqual([line])
  expect(renderList({ letters: [letter], cursor: '7' })).toEqual([line, 'There are more: --after 7'])
  expect(renderList({ letters: [] })).toEqual(['No such letters.'])
})

test('one letter is shown whole', () => {
  expect(renderLetter({ letter, payload: '{"a":"\u0007"}', isCut: true })).toEqual([
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
  const change = { changed: 1, summary: '', dryRun: true }
  const lines = renderRetry({ change, refused })
  expect(lines.slice(0, 3)).toEqual([
    '1 letter can be put back. Without --dry-run they are.',
    '12 letters cannot be replayed as they are:',
    '  0  it was cut',
  ])
  expect(lines.at(-1)).toBe('  and 2 more')
  expect(renderRetry({ change: { ...change, changed: 2, dryRun: false }, refused: [] })).toEqual([
    '2 letters put back: indexers take them within seconds.',
  ])
})
