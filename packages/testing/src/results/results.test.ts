import { expect, test } from 'vitest'
import { atLeast, exactly, figure, formatTable } from './results.ts'

test('a table shows what missed its goal', () => {
  const results = [
    figure('speed', 12_345.6, 'events/s'),
    atLeast(8, 'ratio', 7.996, 'times'),
    exactly(0, 'rows that differ', 0, 'rows'),
  ]
  expect(formatTable(results).split('\n')).toEqual([
    '                   value  unit      goal',
    'speed             12,346  events/s',
    'ratio                  8  times     >= 8  MISSED',
    'rows that differ       0  rows      = 0   met',
  ])
})

test('a number that could not be measured meets no goal', () => {
  expect([atLeast(8, 'ratio', Number.NaN, 'times').pass, exactly(0, 'rows', Number.NaN, 'rows').pass]).toEqual([
    false,
    false,
  ])
})
