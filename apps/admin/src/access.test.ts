import { describe, expect, test } from 'vitest'
import { FailureThrottle, isLoopback, PasswordCheck } from './access.ts'

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`

describe('PasswordCheck', () => {
  const check = new PasswordCheck(['old', 'nëw'])

  test.each([
    [basic('admin:old'), true],
    [basic('admin:nëw'), true],
    [basic('admin:ol'), false],
    [basic('admin:'), false],
    [basic('root:old'), false],
    [basic('admin'), false],
    ['Bearer old', false],
    ['Basic', false],
    ['', false],
    [undefined, false],
  ])('%s is accepted: %s (M2)', (header, accepted) => {
    expect(check.accepts(header)).toBe(accepted)
  })

  test('accepts nothing when it has no passwords (M1)', () => {
    expect(new PasswordCheck([]).accepts(basic('admin:'))).toBe(false)
  })
})

test('failures block their address, then everybody, until the window is over (M2)', () => {
  const throttle = new FailureThrottle({ perAddress: 2, total: 3, windowMs: 100 })
  throttle.failed('a', 1_000)
  expect(throttle.isBlocked('a', 1_000)).toBe(false)
  throttle.failed('a', 1_001)
  expect([throttle.isBlocked('a', 1_002), throttle.isBlocked('b', 1_002)]).toEqual([true, false])
  throttle.failed('b', 1_003)
  expect(throttle.isBlocked('c', 1_004)).toBe(true)
  expect(throttle.isBlocked('a', 1_100)).toBe(false)
})

test.each([
  ['localhost:4030', true],
  ['127.0.0.1:4030', true],
  ['127.9.9.9', true],
  ['[::1]:4030', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['localhost.example.com', false],
  ['127.0.0.1.example.com:80', false],
  ['evil.example', false],
  ['', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected)
})
