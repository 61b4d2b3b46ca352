import { isGuarded } from '@millrace/failpoints'
import { RedisScript, type RedisConnection } from './connect.ts'
import { asInteger } from './replies.ts'
import { accounts, takenKey } from './unaccounted.ts'

/**
 * XACK and XDEL in one step: a crash between them would leave an entry that nobody reads and that counts for ever
 * (hazard S1). It is a script and not a MULTI because a full Redis refuses even XACK inside a MULTI.
 *
 * An entry that another group of the stream has not yet read, or has not acked, stays: the last group to ack deletes
 * it. Ids are compared as digits, since Lua's numbers are too short for them.
 */
const ackScript = new RedisScript(`${accounts}
local key, group = KEYS[1], ARGV[1]
local before, groups = streamOf(key), groupsOf(key)
local acked, deleted = 0, 0
for i = 2, #ARGV, 1000 do
  acked = acked + redis.call('XACK', key, group, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end

local function digitsAfter(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local function idAfter(a, b)
  local aTime, aSeq = string.match(a, '^(%d+)-(%d+)$')
  local bTime, bSeq = string.match(b, '^(%d+)-(%d+)$')
  if aTime ~= bTime then return digitsAfter(aTime, bTime) end
  return digitsAfter(aSeq, bSeq)
end
local function isWantedBy(other, id)
  return idAfter(id, other['last-delivered-id'])
    or (other['pending'] > 0 and #redis.call('XPENDING', key, other['name'], id, id, 1) > 0)
end

local others = {}
for _, other in ipairs(groups) do
  if other['name'] ~= group then others[#others + 1] = other end
end

if ${isGuarded('other-groups') ? '#others == 0' : 'true'} then
  for i = 2, #ARGV, 1000 do
    deleted = deleted + redis.call('XDEL', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
  -- A ghost is acked and cannot be deleted any more: it has left already, and is accounted for with this.
  deleted = math.max(deleted, acked)
else
  for i = 2, #ARGV do
    local id, wanted = ARGV[i], false
    for _, other in ipairs(others) do wanted = wanted or isWantedBy(other, id) end
    if not wanted then deleted = deleted + redis.call('XDEL', key, id) end
  end
end

local gone = departed(streamOf(key))
if deleted > 0 and gone then
  local taken = tonumber(redis.call('GET', KEYS[2]) or nil)
  -- The first ack counts what left before it as taken, but for what is missing by the group's count.
  taken = taken or departed(before) - unaccounted(before, groups, group)
  redis.call('SET', KEYS[2], string.format('%.0f', math.min(taken + deleted, gone)))
end
return acked
`)

/**
 * Takes entries out of the stream, for this group. Works on a full Redis, and is harmless to repeat.
 * @returns how many of them were pending.
 */
export async function ack(
  redis: RedisConnection,
  { stream, group, ids }: { stream: string; group: string; ids: readonly string[] },
): Promise<number> {
  return asInteger(await redis.script(ackScript, [stream, takenKey(stream)], [group, ...ids]), 'acked entries')
}
