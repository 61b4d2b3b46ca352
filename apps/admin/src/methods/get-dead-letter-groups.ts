import { DeadLetters } from '@millrace/database'
import { listFilterOf } from './letters.ts'
import { databaseOf, defineMethod } from './method.ts'

export const getDeadLetterGroups = defineMethod({
  name: 'getDeadLetterGroups',
  role: 'viewer',
  run: async (traits, context) => {
    const groups = await new DeadLetters(databaseOf(context)).groups(listFilterOf(traits))
    return {
      groups: groups.map(({ stream, reason, fingerprint, count, firstAt, lastAt, example }) => ({
        stream,
        reason,
        fingerprint,
        count,
        firstAt: firstAt.toISOString(),
        lastAt: lastAt.toISOString(),
        example: example.id,
        error: example.error,
        ...(example.uri !== null && { uri: example.uri }),
        ...(example.did !== null && { did: example.did }),
      })),
    }
  },
})
