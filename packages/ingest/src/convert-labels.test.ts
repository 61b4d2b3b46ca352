import { describe, expect, test } from 'vitest'
import { frameToLabels } from './convert-labels.ts'
import { decodeFrame } from './frame.ts'
import { accountFrame, encodeFrame, infoFrame, now } from './test-support/repos.ts'

const labeler = 'did:plc:labelerlabelerlabelerlab'
const label = { ver: 1, src: labeler, uri: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', val: 'spam', cts: now }
const host = 'mod.test'
const convert = (labels: unknown, expectedSrc?: string) =>
  frameToLabels(decodeFrame(encodeFrame({ op: 1, t: '#labels' }, { seq: 9, labels })), { host, expectedSrc })

describe('frameToLabels', () => {
  test('a frame becomes one event for each label, in order, with its place', () => {
    const { events } = convert([label, { ...label, val: 'rude' }])
    expect(events).toEqual([
      { type: 'label', label, seq: 9, host },
      { type: 'label', label: { ...label, val: 'rude' }, seq: 9, host },
    ])
  })

  test('numbers of a host that has lost some before are told apart (L2)', () => {
    const frame = decodeFrame(encodeFrame({ op: 1, t: '#labels' }, { seq: 9, labels: [label] }))
    expect(frameToLabels(frame, { host, epoch: 3 }).events).toEqual([{ type: 'label', label, seq: 9, host, epoch: 3 }])
  })

  test('neg, exp and cid stay, and the signature goes (L4)', () => {
    const full = { ...label, neg: true, exp: now, cid: 'bafyreib' }
    expect(convert([{ ...full, sig: new Uint8Array(64) }]).events[0]?.label).toEqual(full)
    expect(convert([{ ...label, neg: false }]).events[0]?.label.neg).toBe(false)
    expect(convert([label]).events[0]?.label).not.toHaveProperty('neg')
  })

  test('a label in the name of another labeler is dropped, where that is known (L7)', () => {
    const spoofed = { ...label, src: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' }
    expect(convert([spoofed]).events).toHaveLength(1)
    const result = convert([spoofed, label], labeler)
    expect(result.events.map((event) => event.label)).toEqual([label])
    expect(result.rejected).toMatchObject([{ reason: 'spoofed-label', uri: label.uri }])
  })

  test.each([
    { name: 'without a value', bad: { ...label, val: '' } },
    { name: 'with a value of 129 bytes', bad: { ...label, val: 'x'.repeat(129) } },
    { name: 'about nothing that can be labelled', bad: { ...label, uri: 'https://a.test' } },
    { name: 'by nobody', bad: { ...label, src: 'labeler' } },
    { name: 'that is no map', bad: 'spam' },
  ])('a label $name is rejected alone (L8)', ({ bad }) => {
    const result = convert([bad, label])
    expect(result.events).toHaveLength(1)
    expect(result.rejected).toMatchObject([{ reason: 'bad-label' }])
    expect(JSON.parse(result.rejected[0]?.payload ?? '')).toEqual(bad)
  })

  test('a value of 128 bytes passes (L8)', () => {
    expect(convert([{ ...label, val: 'x'.repeat(128) }]).events).toHaveLength(1)
  })

  test('a frame without labels is a gap of its labeler', () => {
    expect(convert('none')).toMatchObject({ events: [], outcome: 'invalid', gap: true })
  })

  test('other messages are none of ours (L10)', () => {
    expect(frameToLabels(decodeFrame(infoFrame('OutdatedCursor')), { host })).toMatchObject({ outcome: 'ignored' })
    expect(frameToLabels(decodeFrame(accountFrame(1)), { host })).toMatchObject({ outcome: 'ignored' })
  })
})
