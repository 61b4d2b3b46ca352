import { RedisScript, type RedisConnection } from './connect.ts'
import { asList, asText } from './replies.ts'

/** Pending entries that one run of the script looks at: all other clients wait for it. */
const PAGE = 1_000

/**
 * Which idle pending entries have left the stream. XCLAIM and XAUTOCLAIM tell as well, but forget them in the same
 * step. Nothing is written.
 */
const ghostsScript = new RedisScript(`
local page = redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[2], ARGV[3], '+', ARGV[4])
local ghosts = {}
for _, entry in ipairs(page) do
  if #redis.call('XRANGE', KEYS[1], entry[1], entry[1]) == 0 then ghosts[#ghosts + 1] = entry[1] end
end
local last = page[#page]
return {ghosts, last and #page == tonumber(ARGV[4]) and last[1] or false}
`)

/** `after` is `-` for the first page, then what the last one gave as `next`. */
export async function idleGhosts(
  redis: RedisConnection,
  { stream, group, idleMs, after }: { stream: string; group: string; idleMs: number; after: string },
): Promise<{ ids: string[]; next: string | undefined }> {
  const from = after === '-' ? after : `(${after}`
  const reply = await redis.script(ghostsScript, [stream], [group, String(idleMs), from, String(PAGE)])
  const [ids = [], next = null] = asList(reply, 'ghosts')
  return {
    ids: asList(ids, 'ghost ids').map((id) => asText(id, 'ghost id')),
    next: next === null ? undefined : asText(next, 'next id'),
  }
}
