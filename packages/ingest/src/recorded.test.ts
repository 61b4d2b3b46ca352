import { InvalidEventError, readStreamEvent, type StreamEvent } from '@millrace/stream-protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Conversion } from './conversion.ts'
import { frameToEvents } from './convert.ts'
import { frameToLabels } from './convert-labels.ts'
import { decodeFrame } from './frame.ts'
import { manifest, recordedFrames } from './test-support/recorded.ts'

const { inputs } = manifest
const frames = recordedFrames('subscribeRepos').map(decodeFrame)
const convertAll = (verify: 'integrity' | 'off') =>
  frames.map((frame) => frameToEvents(frame, { host: 'pds.test', verify, now: Date.parse('2026-11-23T12:00:00Z') }))
const eventsOf = (conversions: Conversion<StreamEvent>[]) => conversions.flatMap(({ events }) => events)
const countBy = <T>(values: T[], key: (value: T) => string) =>
  Object.fromEntries([...Map.groupBy(values, key)].map(([name, group]) => [name, group.length]))

describe('the recording of a real network', () => {
  const conversions = convertAll('integrity')
  const events = eventsOf(conversions)

  test('is converted whole: every frame proves what it says', () => {
    expect(conversions).toHaveLength(inputs.frames)
    expect(countBy(conversions, ({ outcome }) => outcome)).toEqual({ appended: inputs.frames })
    expect(conversions.flatMap(({ rejected, dirty }) => [...rejected, ...dirty])).toEqual([])
    expect(events.at(-1)).toHaveProperty('seq', inputs.lastSeq)
  })

  test('has as many operations of each collection as were recorded', () => {
    const expected = Object.entries(inputs.collections).flatMap(([collection, actions]) =>
      Object.entries(actions).flatMap(([action, count]) => (count === 0 ? [] : [[`${action} ${collection}`, count]])),
    )
    const ops = events.filter((event) => 'collection' in event)
    expect(countBy(ops, ({ type, collection }) => `${type} ${collection}`)).toEqual(Object.fromEntries(expected))
  })

  test('has as many messages of each type as were recorded', () => {
    const types = inputs.eventTypes
    const counts = countBy(events, ({ type }) => type)
    expect(counts['account']).toBe(types['#account'])
    expect(counts['identity']).toBe(types['#identity'])
    const empty = frames.filter(
      ({ type }, index) => type === 'commit' && conversions[index]?.events[0]?.type === 'repo',
    )
    expect(events.filter((event) => event.type === 'repo' && event.sync)).toHaveLength(types['#sync'] ?? -1)
    expect(counts['repo']).toBe((types['#sync'] ?? 0) + empty.length)
    const closed = events.filter((event) => 'op' in event && event.op === (event.ops ?? 0) - 1)
    expect(closed.length + empty.length).toBe(types['#commit'])
  })

  test('gives events that other services can read', () => {
    for (const event of events) expect(readStreamEvent(JSON.parse(JSON.stringify(event)))).toEqual(event)
  })

  test('gives the same events without verification', () => expect(eventsOf(convertAll('off'))).toEqual(events))

  test('with a byte changed anywhere, never gives another record, nor an error that is not told', () => {
    const commits = recordedFrames('subscribeRepos').filter((_bytes, index) => frames[index]?.type === 'commit')
    const content = (bytes: Uint8Array) => {
      const { events } = frameToEvents(decodeFrame(bytes), { host: 'pds.test' })
      // The rest of a frame is the host's word alone.
      return events.map((event) => ({ ...event, seq: 0, time: '', since: '', prevData: '' }))
    }
    let used = 0
    const changed = fc.tuple(fc.nat(commits.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(changed, ([index, at, mask]) => {
        const original = commits[index] ?? Buffer.alloc(0)
        const bytes = Buffer.from(original)
        bytes.writeUInt8(bytes.readUInt8(at % bytes.length) ^ mask, at % bytes.length)
        let events: object[] = []
        try {
          events = content(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidEventError)
        }
        if (events.length === 0) return
        used++
        expect(events).toEqual(content(original))
      }),
      { numRuns: 3_000 },
    )
    expect(used).toBeGreaterThan(0)
  })

  test('has its labels', () => {
    const labels = recordedFrames('subscribeLabels').map((bytes) =>
      frameToLabels(decodeFrame(bytes), { host: 'l.test' }),
    )
    expect(labels.flatMap((conversion) => conversion.events)).toHaveLength(inputs.labels)
    expect(labels.flatMap(({ rejected }) => rejected)).toEqual([])
  })
})
