import { expect, test } from 'vitest'
import { rotated, Rounds } from './rounds.ts'
import type { Measurement, SystemName } from './systems/measurement.ts'

const speed = ({ perSecond }: Measurement): number => perSecond

test('a ratio is taken within a round, so that a slow hour counts for both', () => {
  const rounds = new Rounds([round(100, 10), round(50, 5), round(300, 20)])
  expect(rounds.ratio('ours', 'reference', speed)).toBe(10)
  expect(rounds.median('ours', speed)).toBe(100)
  expect(rounds.median('reference', speed)).toBe(10)
  expect(rounds.all()).toHaveLength(6)
})

test('a system that took no part has no numbers', () => {
  expect(() => new Rounds([round(1, 1)]).median('bare', speed)).toThrow('bare took no part')
})

test('each comes first in turn', () => {
  expect([0, 1, 2, 3].map((by) => rotated(['a', 'b', 'c'], by).join(''))).toEqual(['abc', 'bca', 'cab', 'abc'])
})

function round(ours: number, reference: number): { ours: Measurement; reference: Measurement } {
  return { ours: measurement('ours', ours), reference: measurement('reference', reference) }
}

function measurement(system: SystemName, perSecond: number): Measurement {
  return {
    system,
    perSecond,
    records: 1000,
    failed: 0,
    seconds: 1000 / perSecond,
    walBytes: 1,
    synchronousCommit: 'on',
    roundTrips: null,
  }
}
