import { valueOf } from '../../answer.ts'
import { fail, ofStore, ok, type Check } from '../check.ts'

export const storeEpoch: Check = {
  id: 'store-epoch',
  title: 'The store of streams is the one that the database knows (I5)',
  look: ofStore(({ epoch }, { database }) => {
    const known = valueOf(database)?.bookkeeping?.epoch
    if (known === undefined) return undefined
    if (known === null && epoch === null) return ok('no ingester has run yet')
    if (known === epoch) return ok(`both are of epoch ${epoch?.slice(0, 8)}`)
    return fail('store-replaced', {
      evidence: `the store has ${epoch === null ? 'no epoch' : `epoch ${epoch.slice(0, 8)}`}, the database ${known === null ? 'none' : known.slice(0, 8)}`,
      meaning:
        'The store was emptied, or it is another one. The next ingester goes back to its checkpoints within seconds; with none, nothing comes.',
      command: 'millrace cursor',
    })
  }),
}
