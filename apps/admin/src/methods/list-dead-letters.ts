import { DeadLetters } from '@millrace/database'
import { letterOf, listFilterOf } from './letters.ts'
import { databaseOf, defineMethod } from './method.ts'

export const listDeadLetters = defineMethod({
  name: 'listDeadLetters',
  role: 'viewer',
  run: async ({ limit = 50, ...traits }, context) => {
    const letters = await new DeadLetters(databaseOf(context)).list(listFilterOf(traits), limit)
    return {
      letters: letters.map(letterOf),
      ...(letters.length === limit && { cursor: String(letters.at(-1)!.id) }),
    }
  },
})
