import { CommanderError } from 'commander'
import { expect, test } from 'vitest'
import { recountCommand } from './recount-command.ts'

test.each([
  { args: ['--table', 'follow'], says: /counts are in post_agg and profile_agg/ },
  { args: ['--after', 'follow/did:plc:a'], says: /it begins with post_agg or profile_agg/ },
  { args: ['--samples', 'many'], says: /not a whole number/ },
])('$args is refused', async ({ args, says }) => {
  const command = recountCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  const error = await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CommanderError)
  expect(String(error)).toMatch(says)
})

test('its help says what is counted, by what', () => {
  const help: string[] = []
  recountCommand()
    .configureOutput({ writeOut: (text) => void help.push(text) })
    .outputHelp()
  expect(help.join('')).toMatch(/post_agg\.replyCount +post by replyParent, unless violatesThreadGate\n/)
})
