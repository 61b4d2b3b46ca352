import { RedisScript, type RedisConnection } from './connect.ts'
import { asInteger } from './replies.ts'

/** Where acks count the entries that they took out of a stream. */
export const takenKey = (stream: string): string => `${stream}:taken`

/**
 * How many entries left a stream with one group unread (hazard S11), by two counts that both see every loss. Each is
 * too high by itself at times, so that the lower one holds:
 *
 * - by what the group has read: of `entries-added` it has read `entries-read`, and the rest must still be there. After a
 *   restart from a rewritten AOF Redis 7.0 tells too few read, and without a rewrite none at all.
 * - by what our acks took out: no entry leaves in another way. Consumers of other makers, beside us or before us, are not
 *   counted by it.
 *
 * With more groups the answer is 0.
 */
export const accounts = `
local function fieldsOf(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end
local function streamOf(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  return not info.err and fieldsOf(info) or {}
end
local function departed(stream)
  return stream['entries-added'] and stream['entries-added'] - stream['length']
end
local function groupsOf(key)
  local groups = redis.pcall('XINFO', 'GROUPS', key)
  if groups.err then return {} end
  for i, group in ipairs(groups) do groups[i] = fieldsOf(group) end
  return groups
end
local function unaccounted(stream, groups, name, taken)
  local group = groups[1]
  if not departed(stream) or #groups ~= 1 or group['name'] ~= name then return 0 end
  local byTaken = taken and math.max(0, departed(stream) - taken)
  local read = group['entries-read']
  local byRead = read and math.max(0, stream['entries-added'] - read - (stream['length'] - group['pending']))
  return byTaken and byRead and math.min(byTaken, byRead) or byTaken or byRead or 0
end
`

const count = `${accounts}
local stream, groups, taken = streamOf(KEYS[1]), groupsOf(KEYS[1]), tonumber(redis.call('GET', KEYS[2]) or nil)
local lost = unaccounted(stream, groups, ARGV[1], taken)
`
const countScript = new RedisScript(`${count}return lost`)
// XGROUP SETID comes first: after it a full Redis takes SET too.
const settleScript = new RedisScript(`${count}
local settled = math.min(lost, tonumber(ARGV[2]))
if settled > 0 then
  local read = groups[1]['entries-read']
  local setId = {'XGROUP', 'SETID', KEYS[1], ARGV[1], groups[1]['last-delivered-id']}
  if read then
    setId[6], setId[7] = 'ENTRIESREAD', read + settled
  end
  redis.call(unpack(setId))
  if taken then redis.call('SET', KEYS[2], string.format('%.0f', math.min(taken + settled, departed(stream)))) end
end
return settled
`)

/** How many entries left the stream before any consumer was given them. */
export async function countUnaccounted(
  redis: RedisConnection,
  { stream, group }: { stream: string; group: string },
): Promise<number> {
  return asInteger(await redis.script(countScript, [stream, takenKey(stream)], [group]), 'unaccounted entries')
}

/** Counts them as read, once their loss is recorded. Works on a full Redis, and is harmless to repeat. */
export async function settleUnaccounted(
  redis: RedisConnection,
  { stream, group, entries }: { stream: string; group: string; entries: number },
): Promise<number> {
  const reply = await redis.script(settleScript, [stream, takenKey(stream)], [group, String(entries)])
  return asInteger(reply, 'settled entries')
}
