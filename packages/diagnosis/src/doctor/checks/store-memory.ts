import { bytes } from '../../words.ts'
import { fail, ofStore, ok, warn, type Check } from '../check.ts'

const FULL = 0.97
const NEARLY_FULL = 0.8

export const storeMemory: Check = {
  id: 'store-memory',
  title: 'The store of streams has room (S2, S14)',
  look: ofStore(({ description: { memory } }) => {
    if (!memory) return undefined
    const { usedBytes, maxBytes } = memory
    if (maxBytes === null)
      return warn('store-unlimited', {
        evidence: `${bytes(usedBytes)} used, and no maxmemory is set`,
        meaning: 'When the machine runs out of memory, Redis is killed and starts with what was last saved.',
        command: 'redis-cli -u "$REDIS_URL" config set maxmemory <bytes>',
      })
    const share = usedBytes / maxBytes
    const evidence = `${bytes(usedBytes)} of ${bytes(maxBytes)} used (${Math.round(share * 100)} %)`
    if (share < NEARLY_FULL) return ok(evidence)
    const trouble = { evidence, command: 'millrace streams' }
    return share < FULL
      ? warn('store-fills', {
          ...trouble,
          meaning: 'It fills up: a group is behind, or something else is kept in this Redis.',
        })
      : fail('store-full', {
          ...trouble,
          meaning:
            'It is full: nothing can be appended, so ingesters and backfillers wait. What is there is indexed, which makes room.',
        })
  }),
}
