import { fail, ofStore, ok, warn, type Check } from '../check.ts'

export const storePolicy: Check = {
  id: 'store-policy',
  title: 'The store of streams evicts nothing (S3)',
  look: ofStore(({ description: { memory } }) => {
    if (!memory) return undefined
    const { policy, maxBytes } = memory
    if (policy === 'noeviction') return ok('maxmemory-policy is noeviction')
    const trouble = {
      evidence: `maxmemory-policy is ${policy ?? 'not told'}`,
      meaning: 'When its memory is full, this Redis deletes whole streams and cursors.',
      command: 'redis-cli -u "$REDIS_URL" config set maxmemory-policy noeviction',
    }
    // Without a limit nothing is evicted yet.
    return maxBytes === null || policy === undefined
      ? warn('store-would-evict', trouble)
      : fail('store-evicts', trouble)
  }),
}
