import { expect, test } from 'vitest'
import { atLeast, atMost, exactly, figure, formatTable } from './results.ts'

test('a table shows what missed its goal', () => {
  const results = [
    figure('speed', 12_345.6, 'events/s'),
    atLeast(8, 'ratio', 7.996, 'times'),
    exactly(0, 'rows that differ', 0, 'rows'),
    atMost(2 / 3, 'share', 0.6, 'times'),
  ]
  expect(formatTable(results).split('\n')).toEqual([
    '                   value  unit      goal',
    'speed             12,346  events/s',
    'ratio                  8  times     >= 8      MISSED',
    'rows that differ       0  rows      = 0       met',
    'share                0.6  times     <= 0.667  met',
  ])
})

test('a number that could not be measured meets no goal', () => {
  const judges = [atLeast, atMost, exactly]
  expect(judges.map((judge) => judge(8, 'number', Number.NaN, 'times').pass)).toEqual([false, false, false])
})
