import { isGuarded } from '@millrace/failpoints'
import { ErrorReply } from 'redis'
import { RedisScript, type RedisConnection } from './connect.ts'
import { asList, asMap, asText } from './replies.ts'

/**
 * Creates stream and group if absent. A new group starts at the first entry, never at the end (hazard S4).
 * @returns whether it was absent.
 */
export async function ensureGroup(redis: RedisConnection, stream: string, group: string): Promise<boolean> {
  // A full Redis refuses XGROUP CREATE even for a group that exists, and its readers are what would empty it (S2).
  if (await hasGroup(redis, stream, group)) return false
  try {
    await redis.command(['XGROUP', 'CREATE', stream, group, isGuarded('group-start') ? '0' : '$', 'MKSTREAM'])
    return true
  } catch (error) {
    if (error instanceof ErrorReply && error.message.startsWith('BUSYGROUP')) return false
    throw error
  }
}

async function hasGroup(redis: RedisConnection, stream: string, group: string): Promise<boolean> {
  try {
    const groups = asList(await redis.command(['XINFO', 'GROUPS', stream]), 'groups')
    return groups.some((info) => asMap(info, 'group').get('name') === group)
  } catch (error) {
    if (isNoSuchKey(error)) return false
    throw error
  }
}

/**
 * XGROUP DELCONSUMER throws away what is pending for the consumer, so looking and deleting are one step (hazard S9). It is
 * no growing write: a full Redis takes it.
 */
const removeIdleScript = new RedisScript(`
local infos = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
local removed = {}
if infos.err then
  if string.find(infos.err, '^ERR no such key') or string.find(infos.err, '^NOGROUP') then return removed end
  return infos
end
for _, info in ipairs(infos) do
  local fields = {}
  for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
  if ${isGuarded('pending-consumer') ? "fields['pending'] == 0" : 'true'} and fields['idle'] >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], fields['name'])
    removed[#removed + 1] = fields['name']
  end
end
return removed
`)

/** Forgets consumers with nothing pending that were not heard of for that long. @returns their names. */
export async function removeIdleConsumers(
  redis: RedisConnection,
  { stream, group, idleMs }: { stream: string; group: string; idleMs: number },
): Promise<string[]> {
  const names = await redis.script(removeIdleScript, [stream], [group, String(idleMs)])
  return asList(names, 'removed consumers').map((name) => asText(name, 'consumer name'))
}

/** XINFO answers so for a stream that does not exist. */
export function isNoSuchKey(error: unknown): boolean {
  return error instanceof ErrorReply && /^ERR no such key/i.test(error.message)
}
