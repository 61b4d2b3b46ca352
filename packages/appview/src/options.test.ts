import { ConfigError } from '@millrace/runtime'
import { expect, test } from 'vitest'
import { helpOf, readOptions } from './options.ts'

const described = { name: 'notes', description: 'An AppView for notes.' }
const simulate = (): Promise<never> => Promise.reject(new Error('it was started'))

test('without options a simulated network is read, where there is one', () => {
  const usual = { relay: undefined, data: undefined, port: 4100, exitWhenIdle: false, json: false }
  expect(readOptions([], { ...described, simulate })).toEqual(usual)
  expect(readOptions([], { ...described, simulate, port: 5000 })).toEqual({ ...usual, port: 5000 })
  const relay = 'https://relay.test'
  expect(
    readOptions(['--relay', relay, '--port', '0', '--data', 'x', '--exit-when-idle', '--json'], described),
  ).toEqual({ relay, data: 'x', port: 0, exitWhenIdle: true, json: true })
})

test('help says what is taken by default', () => {
  expect(readOptions(['-h'], described)).toBe('help')
  expect(helpOf(described)).toMatch(/^An AppView for notes\.\n(.*\n)*.*default: \.millrace\/notes\)/)
  expect(helpOf(described)).not.toContain('a simulated network')
  expect(helpOf({ ...described, simulate, port: 1 })).toMatch(/default: a simulated network(.*\n)*.*default: 1;/)
})

test.each([
  { args: [], says: '--relay is missing: which network?' },
  { args: ['--relay', 'file:///etc'], says: '--relay is no http or https URL: file:///etc' },
  { args: ['--relay', 'https://relay.test', '--port', 'x'], says: '--port is no whole number from 0 to 65535: x' },
  { args: ['--relay', 'https://relay.test', '--port', '65536'], says: '--port is no whole number' },
  { args: ['--nothing'], says: "Unknown option '--nothing'" },
])('$args is refused in words', ({ args, says }) => {
  expect(() => readOptions(args, described)).toThrow(ConfigError)
  expect(() => readOptions(args, described)).toThrow(says)
})
