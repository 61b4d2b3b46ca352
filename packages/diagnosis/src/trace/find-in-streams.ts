import {
  idBefore,
  isObject,
  type GroupStatus,
  type StoredFields,
  type StreamStatus,
  type StreamStore,
} from '@millrace/stream-protocol'
import { jsonObject } from '../json-object.ts'
import { isDeserted } from '../waiting.ts'
import type { FoundEntry, GroupPosition, StreamFacts } from './facts.ts'
import type { Subject } from './subject.ts'

export interface FindInStreamsOptions {
  store: Pick<StreamStore, 'status' | 'read' | 'pending'>
  streams: readonly string[]
  subject: Subject
  /** Entries of each stream that are looked at: the first ones, which are the next to be read. @default 10_000 */
  most?: number
}

/** Entries to a request: a store serves others in between. */
const PAGE = 1_000
/** Of those that are about the subject, as many of the newest are told. */
const TOLD = 5

/** Where the subject is in the streams: acked entries have left them, so that what is there waits. Bounded (hazard M7). */
export async function findInStreams({
  store,
  streams,
  subject,
  most = 10_000,
}: FindInStreamsOptions): Promise<StreamFacts[]> {
  const statuses = await store.status(streams)
  return await Promise.all(
    statuses.map(async (status) => {
      const { entries, isPartial } = await search(store, status.stream, subject, most)
      const last = entries.at(-1)
      return {
        stream: status.stream,
        length: status.length,
        found: entries.slice(-TOLD),
        groups: last ? await Promise.all(status.groups.map((group) => position(store, status, group, last.id))) : [],
        isPartial,
      }
    }),
  )
}

async function search(
  store: Pick<StreamStore, 'read'>,
  stream: string,
  subject: Subject,
  most: number,
): Promise<{ entries: FoundEntry[]; isPartial: boolean }> {
  const found: FoundEntry[] = []
  let after = '0-0'
  for (let looked = 0; looked < most; looked += PAGE) {
    const page = await store.read(stream, { after, limit: PAGE })
    for (const entry of page) {
      const match = readEntry(entry, subject)
      if (match) found.push(match)
    }
    if (page.length < PAGE) return { entries: found, isPartial: false }
    after = page.at(-1)!.id
  }
  return { entries: found, isPartial: true }
}

/** The entry, if it is about the subject. What is no event is about nobody. */
function readEntry({ id, fields }: StoredFields, { did, record }: Subject): FoundEntry | undefined {
  for (const text of Object.values(fields)) {
    // Few are: the others need not be read as JSON.
    if (!text.includes(did)) continue
    const event = jsonObject(text)
    if (!event) continue
    const label = isObject(event['label']) ? event['label'] : event
    if (typeof label['uri'] === 'string' && label['uri'] === (record?.uri ?? did)) return { id, type: 'label' }
    if (event['did'] !== did) continue
    const isOfRecord = event['collection'] === record?.collection && event['rkey'] === record?.rkey
    // A repo to fetch has no type, and brings all records of it.
    if (record && !isOfRecord && event['type'] !== undefined) continue
    return {
      id,
      type: typeof event['type'] === 'string' ? event['type'] : 'repo to fetch',
      ...(typeof event['rev'] === 'string' && { rev: event['rev'] }),
      ...(typeof event['cid'] === 'string' && { cid: event['cid'] }),
    }
  }
  return undefined
}

async function position(
  store: Pick<StreamStore, 'pending'>,
  { stream, length }: StreamStatus,
  group: GroupStatus,
  id: string,
): Promise<GroupPosition> {
  const [pending] = await store.pending(stream, group.name, { after: idBefore(id), limit: 1 })
  return {
    group: group.name,
    waiting: group.undelivered === null ? length : group.pending + group.undelivered,
    isDeserted: isDeserted(group),
    ...(pending?.id === id && {
      pending: {
        consumer: pending.consumer,
        idleSeconds: pending.idleMs / 1_000,
        deliveries: pending.deliveries,
      },
    }),
  }
}
