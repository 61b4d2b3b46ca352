import { DeadLetters } from '@millrace/database'
import { letterOf, listFilterOf } from './letters.ts'
import { databaseOf, defineMethod } from './method.ts'

export const exportDeadLetters = defineMethod({
  name: 'exportDeadLetters',
  role: 'viewer',
  run: async ({ limit = 20, ...traits }, context) => {
    const letters = await new DeadLetters(databaseOf(context)).listWhole(listFilterOf(traits), limit)
    return {
      letters: letters.map(({ payload, isCut, ...letter }) => ({ letter: letterOf(letter), payload, isCut })),
      ...(letters.length === limit && { cursor: String(letters.at(-1)!.id) }),
    }
  },
})
