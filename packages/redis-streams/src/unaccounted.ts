import { RedisScript, type RedisConnection } from './connect.ts'
import { asInteger } from './replies.ts'

/**
 * An entry of a stream with one group is acked, pending or not yet delivered (hazard S11). Of `entries-added` the group
 * has read `entries-read`, and what it has not read must still be there: `length` without what is pending. Where Redis
 * has lost count, or there are more groups, the answer is 0.
 */
const count = `
local function fieldsOf(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local stream = fieldsOf(redis.call('XINFO', 'STREAM', KEYS[1]))
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
if #groups ~= 1 then return 0 end
local group = fieldsOf(groups[1])
local read = group['entries-read']
if group['name'] ~= ARGV[1] or not read then return 0 end
local unaccounted = math.max(0, stream['entries-added'] - read - (stream['length'] - group['pending']))
`
const countScript = new RedisScript(`${count}return unaccounted`)
const settleScript = new RedisScript(`${count}
local settled = math.min(unaccounted, tonumber(ARGV[2]))
if settled > 0 then
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], group['last-delivered-id'], 'ENTRIESREAD', read + settled)
end
return settled
`)

/** How many entries left the stream before any consumer was given them. */
export async function countUnaccounted(
  redis: RedisConnection,
  { stream, group }: { stream: string; group: string },
): Promise<number> {
  return asInteger(await redis.script(countScript, [stream], [group]), 'unaccounted entries')
}

/** Counts them as read, once their loss is recorded. Works on a full Redis, and is harmless to repeat. */
export async function settleUnaccounted(
  redis: RedisConnection,
  { stream, group, entries }: { stream: string; group: string; entries: number },
): Promise<number> {
  return asInteger(await redis.script(settleScript, [stream], [group, String(entries)]), 'settled entries')
}
