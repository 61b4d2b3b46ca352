import { valueOf } from '../../answer.ts'
import { fail, ofBookkeeping, ok, type Check } from '../check.ts'

/** It goes on between our look at the one and at the other. */
const BETWEEN_LOOKS = 10

export const databaseAge: Check = {
  id: 'database-age',
  title: 'The database has not gone back (I4)',
  look: ofBookkeeping(({ tally, epoch }, { store }) => {
    const told = valueOf(store)?.toldTally
    // One that no ingester writes to counts nothing.
    if (told === undefined || epoch === null) return undefined
    if (told <= tally + BETWEEN_LOOKS) return ok(`it has counted to ${tally}`)
    return fail('database-restored', {
      evidence: `it has counted to ${tally}, and to ${told} before`,
      meaning:
        'It was restored from a backup, or a replica took over that lacked something: what was indexed since is in no row and in no stream. The next ingester goes back to its checkpoints within seconds, and a repair compares all repos; with no ingester, nothing comes.',
      command: 'millrace gaps',
    })
  }),
}
