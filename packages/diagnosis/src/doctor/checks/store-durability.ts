import { fail, ofStore, ok, warn, type Check } from '../check.ts'

export const storeDurability: Check = {
  id: 'store-durability',
  title: 'The store of streams keeps what it holds on disk',
  look: ofStore(({ description: { durability } }) => {
    if (!durability) return undefined
    if (!durability.isSaving)
      return fail('store-not-saving', {
        evidence: 'its last save to disk failed',
        meaning: 'A crash loses what came since, and with stop-writes-on-bgsave-error Redis refuses every write.',
        command: 'redis-cli -u "$REDIS_URL" info persistence',
      })
    return durability.isLogged
      ? ok('the append-only file is on')
      : warn('store-not-logged', {
          evidence: 'the append-only file is off',
          meaning:
            'A crash of Redis loses entries and cursors since its last snapshot; they are read again from checkpoints.',
          command: 'redis-cli -u "$REDIS_URL" config set appendonly yes',
        })
  }),
}
