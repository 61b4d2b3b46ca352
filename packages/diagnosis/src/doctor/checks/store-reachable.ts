import { fail, ok, type Check } from '../check.ts'

export const storeReachable: Check = {
  id: 'store-reachable',
  title: 'The store of streams answers',
  look: ({ store }) =>
    store.ok
      ? ok(store.value.description.version)
      : fail('store-away', {
          evidence: store.why,
          meaning:
            'Nothing can be read or written: ingesters wait, and what relays forget meanwhile has to be repaired.',
          command: 'redis-cli -u "$REDIS_URL" ping',
        }),
}
