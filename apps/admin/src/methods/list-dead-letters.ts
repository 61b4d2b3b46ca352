import { DeadLetters, type DeadLetterState } from '@millrace/database'
import { letterOf } from './letters.ts'
import { databaseOf, defineMethod, numberCursor } from './method.ts'

export const listDeadLetters = defineMethod({
  name: 'listDeadLetters',
  role: 'viewer',
  run: async ({ state = 'kept', stream, reasonCode: reason, fingerprint, did, limit = 50, cursor }, context) => {
    const letters = await new DeadLetters(databaseOf(context)).list(
      { states: [state as DeadLetterState], stream, reason, fingerprint, did, before: numberCursor(cursor) },
      limit,
    )
    return {
      letters: letters.map(letterOf),
      ...(letters.length === limit && { cursor: String(letters.at(-1)!.id) }),
    }
  },
})
