import type { ConsumerStatus, GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import type { RedisConnection } from './connect.ts'
import { isNoSuchKey } from './groups.ts'
import { asInteger, asList, asMap, asText, type Reply } from './replies.ts'

/** Consumers that are listed for a group: those with the most pending entries. Dead ones pile up. */
const MOST_CONSUMERS = 100

/**
 * Length, pending and undelivered entries, without reading the stream: the time it takes does not depend on how much
 * is in it (hazard M7).
 */
export async function streamStatus(redis: RedisConnection, stream: string): Promise<StreamStatus> {
  try {
    const [streamReply, groupsReply] = await Promise.all([
      redis.command(['XINFO', 'STREAM', stream]),
      redis.command(['XINFO', 'GROUPS', stream]),
    ])
    const info = asMap(streamReply, 'stream')
    const length = asInteger(info.get('length'), 'length')
    const appended = info.get('entries-added')
    const groups = asList(groupsReply, 'groups').map((group) => asMap(group, 'group'))
    return {
      stream,
      length,
      // Since Redis 7.
      ...(typeof appended === 'number' && { appended }),
      firstId: entryId(info.get('first-entry')),
      lastId: entryId(info.get('last-entry')),
      groups: await Promise.all(
        groups.map(async (group) => await groupStatus(redis, stream, group, groups.length === 1 ? length : undefined)),
      ),
    }
  } catch (error) {
    if (isNoSuchKey(error)) return { stream, length: 0, firstId: null, lastId: null, groups: [] }
    throw error
  }
}

async function groupStatus(
  redis: RedisConnection,
  stream: string,
  group: Map<string, Reply>,
  lengthIfOnlyGroup: number | undefined,
): Promise<GroupStatus> {
  const name = asText(group.get('name'), 'group name')
  const [summary, consumers] = await Promise.all([
    redis.command(['XPENDING', stream, name]),
    redis.command(['XINFO', 'CONSUMERS', stream, name]),
  ])
  const [pending, oldest] = asList(summary, 'pending summary')
  const pendingCount = asInteger(pending, 'pending count')
  const lag = group.get('lag')
  return {
    name,
    pending: pendingCount,
    // Redis gives up counting its lag once entries are deleted out of order. With one group every entry is either
    // pending or undelivered (hazard S11), so there is no need to ask.
    undelivered:
      lengthIfOnlyGroup !== undefined
        ? Math.max(0, lengthIfOnlyGroup - pendingCount)
        : typeof lag === 'number'
          ? lag
          : null,
    oldestPendingId: typeof oldest === 'string' ? oldest : null,
    lastDeliveredId: asText(group.get('last-delivered-id'), 'last delivered id'),
    consumers: asList(consumers, 'consumers')
      .map((consumer) => consumerStatus(asMap(consumer, 'consumer')))
      .toSorted((a, b) => b.pending - a.pending)
      .slice(0, MOST_CONSUMERS),
  }
}

function consumerStatus(consumer: Map<string, Reply>): ConsumerStatus {
  return {
    name: asText(consumer.get('name'), 'consumer name'),
    pending: asInteger(consumer.get('pending'), 'consumer pending'),
    idleMs: asInteger(consumer.get('idle'), 'consumer idle'),
  }
}

function entryId(entry: Reply | undefined): string | null {
  return Array.isArray(entry) ? asText(entry[0], 'entry id') : null
}
