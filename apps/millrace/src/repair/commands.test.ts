import { CommanderError, type Command } from 'commander'
import { expect, test } from 'vitest'
import { gapsCommand } from './gaps-command.ts'
import { readMoment } from './moment.ts'
import { repairCommand } from './repair-command.ts'
import { resyncCommand } from './resync-command.ts'

test.each<[make: () => Command, args: string[], says: RegExp]>([
  [repairCommand, ['--since', 'yesterday'], /neither a time with its zone, nor a duration/],
  [repairCommand, ['--until', '2026-10-14T08:00:00'], /neither a time with its zone, nor a duration/],
  [resyncCommand, [], /missing required argument/],
  [gapsCommand, ['all'], /too many arguments/],
])('%o with %j is refused', async (make, args, says) => {
  const command = make()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  const error = await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CommanderError)
  expect(String(error)).toMatch(says)
})

const now = Date.parse('2026-10-24T12:00:00Z')
test.each([
  ['10d', '2026-10-14T12:00:00.000Z'],
  ['90m', '2026-10-24T10:30:00.000Z'],
  ['2026-10-14', '2026-10-14T00:00:00.000Z'],
  ['2026-10-14T08:00:00+02:00', '2026-10-14T06:00:00.000Z'],
])('the time %s is %s', (text, moment) => {
  expect(readMoment(text, now)?.toISOString()).toBe(moment)
})

test.each(['2026-10-14T08:00', '14.10.2026', '2026-13-01', '-3d', ''])('%j is no time', (text) => {
  expect(readMoment(text, now)).toBeUndefined()
})
