import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { dlqCommand } from './dlq-command.ts'

test.each([
  { args: ['bogus'], says: /too many arguments/ },
  { args: ['list', '--limit', '0'], says: /at least 1/ },
  { args: ['list', '--state', 'open'], says: /Allowed choices are kept, retry, replayed, discarded, purged/ },
  { args: ['show'], says: /missing required argument 'id'/ },
  { args: ['show', 'seven'], says: /not a whole number/ },
  { args: ['retry', '1', 'two'], says: /not a whole number/ },
  { args: ['edit', '7'], says: /required option '--payload <file>' not specified/ },
  { args: ['edit', '7', '--payload', '/tmp/millrace-none/7.json'], says: /--payload cannot be read: .*ENOENT/ },
])('$args is refused', async ({ args, says }) => {
  const command = dlqCommand()
  for (const each of [command, ...command.commands]) each.exitOverride().configureOutput({ writeErr: () => undefined })
  const error = await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CommanderError)
  expect(String(error)).toMatch(says)
})
