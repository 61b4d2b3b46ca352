import { DeadLetters } from '@millrace/database'
import { letterOf } from './letters.ts'
import { databaseOf, defineMethod, MethodError } from './method.ts'

export const getDeadLetter = defineMethod({
  name: 'getDeadLetter',
  role: 'viewer',
  run: async ({ id }, context) => {
    const letter = await new DeadLetters(databaseOf(context)).find(id)
    if (!letter) throw new MethodError('NotFound', `there is no letter ${id}`)
    return { letter: letterOf(letter), payload: letter.payload, isCut: letter.isCut }
  },
})
