import { RedisScript, type RedisConnection } from './connect.ts'

/** Entries that are looked at together. */
const PAGE = 1_000

/**
 * What is pending for a consumer was given to it a moment ago, as for the others: in one step, since it may be taken over
 * at any time, and is not to be taken back. What has left the stream stays as it is: to claim it would hide that it was
 * lost (hazard S10). Works at maxmemory (hazard S2).
 */
const keepScript = new RedisScript(`
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], '+', ${PAGE}, ARGV[2])
if #pending == 0 then return false end
local claim = {'XCLAIM', KEYS[1], ARGV[1], ARGV[2], '0'}
for _, entry in ipairs(pending) do
  if #redis.call('XRANGE', KEYS[1], entry[1], entry[1]) > 0 then claim[#claim + 1] = entry[1] end
end
if #claim > 5 then
  claim[#claim + 1] = 'JUSTID'
  redis.call(unpack(claim))
end
return #pending == ${PAGE} and pending[#pending][1] or false
`)

/** Has the entries that are pending for a consumer count as not idle. */
export async function keepClaims(
  redis: RedisConnection,
  { stream, group, consumer }: { stream: string; group: string; consumer: string },
): Promise<void> {
  for (let after: string | null = '-'; after !== null;) {
    const last = await redis.script(keepScript, [stream], [group, consumer, after])
    after = typeof last === 'string' ? `(${last}` : null
  }
}
