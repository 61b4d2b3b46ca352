import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { backfillCommand } from './backfill-command.ts'

test.each<[args: string[], says: RegExp]>([
  [['add', '--collection', 'app.bsky.*'], /not a collection/],
  [['add', '--file'], /argument missing/],
  [['status', 'all'], /too many arguments/],
  [['retry'], /unknown command|too many arguments/],
])('%j is refused', async (args, says) => {
  const command = backfillCommand()
  for (const each of [command, ...command.commands]) each.exitOverride().configureOutput({ writeErr: () => undefined })
  const error = await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CommanderError)
  expect(String(error)).toMatch(says)
})
