import { DeadLetters } from '@millrace/database'
import { InvalidEventError } from '@millrace/stream-protocol'
import { replayable } from '../replayable.ts'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, noChange, wouldChange } from './method.ts'

export const editDeadLetter = defineMethod({
  name: 'editDeadLetter',
  role: 'operator',
  run: async ({ id, payload, reason, dryRun = false }, context) => {
    const letters = new DeadLetters(databaseOf(context))
    const letter = await letters.find(id)
    if (!letter) throw new MethodError('NotFound', `there is no letter ${id}`)
    if (letter.state === 'purged') throw new MethodError('InvalidPayload', `the record of letter ${id} is deleted`)
    const text = payload.trim()
    const subject = subjectOf(letter.stream, text, replayable(context.sources))
    if (letter.payload === text && letter.state === 'retry')
      return { change: noChange(`letter ${id} has that payload, and is put back already`, dryRun) }
    const summary = `letter ${id} put back with another payload: an indexer takes it within seconds`
    if (dryRun) return { change: wouldChange(1, summary) }
    const { state, did, uri } = letter
    const change = await audited(
      context,
      {
        method: 'editDeadLetter',
        target: `letter ${id}`,
        reason,
        before: { state, did, uri, payload: letter.payload },
        after: { payload: text },
      },
      async () => ({ changed: (await letters.edit(id, text, subject)) ? 1 : 0, summary }),
    )
    return { change }
  },
})

function subjectOf(stream: string, payload: string, replays: ReturnType<typeof replayable>) {
  try {
    return replays.subjectOf(stream, payload)
  } catch (error) {
    if (error instanceof InvalidEventError)
      throw new MethodError('InvalidPayload', `the payload is no event of ${stream}: ${error.message}`, {
        cause: error,
      })
    throw error
  }
}
