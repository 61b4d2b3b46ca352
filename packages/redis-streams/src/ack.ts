import { isGuarded } from '@millrace/failpoints'
import { RedisScript, type RedisConnection } from './connect.ts'
import { asInteger } from './replies.ts'

/**
 * XACK and XDEL in one step: a crash between them would leave an entry that nobody reads and that counts for ever
 * (hazard S1). It is a script and not a MULTI because a full Redis refuses even XACK inside a MULTI.
 *
 * An entry that another group of the stream has not yet read, or has not acked, stays: the last group to ack deletes
 * it. Ids are compared as digits, since Lua's numbers are too short for them.
 */
const ackScript = new RedisScript(`
local key, group = KEYS[1], ARGV[1]
local acked = 0
for i = 2, #ARGV, 1000 do
  acked = acked + redis.call('XACK', key, group, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end

local infos = redis.pcall('XINFO', 'GROUPS', key)
if infos.err then return acked end
local others = {}
for _, info in ipairs(infos) do
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  if fields['name'] ~= group then others[#others + 1] = fields end
end

if ${isGuarded('other-groups') ? '#others == 0' : 'true'} then
  for i = 2, #ARGV, 1000 do
    redis.call('XDEL', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
  return acked
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

for i = 2, #ARGV do
  local id, passed = ARGV[i], true
  for _, other in ipairs(others) do
    if idAfter(id, other['last-delivered-id'])
      or (other['pending'] > 0 and #redis.call('XPENDING', key, other['name'], id, id, 1) > 0)
    then
      passed = false
      break
    end
  end
  if passed then redis.call('XDEL', key, id) end
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
  return asInteger(await redis.script(ackScript, [stream], [group, ...ids]), 'acked entries')
}
