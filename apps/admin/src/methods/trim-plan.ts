import { createHash } from 'node:crypto'
import type { PlanTrimOutput } from '@millrace/admin-api'
import { isDeserted, oldestWaitingId } from '@millrace/diagnosis'
import {
  compareIds,
  entryTime,
  idBefore,
  type GroupStatus,
  type StreamStatus,
  type StreamStore,
} from '@millrace/stream-protocol'
import { MethodError } from './method.ts'

export interface TrimTarget {
  stream: string
  /** Of this group alone; all of them when it is undefined. */
  group?: string | undefined
  /** `end`, the id of an entry, or a time: what stands before it goes, and the entry with it. */
  to: string
}

export interface TrimPlan {
  /** The last entry that goes; null for an empty stream. */
  to: string | null
  groups: PlannedGroup[]
  /** The same as long as nothing has moved that the plan is about. What is appended meanwhile stays. */
  hash: string
}

interface PlannedGroup {
  name: string
  status: GroupStatus
  /** Entries that it was given, or has not read, and that go unacked; counted up to a bound. */
  loses: number
  isActive: boolean
}

/** Under this name entries are taken out of a group that nobody reads. */
export const TRIM_CONSUMER = 'millrace-admin'

/** Entries to a request, and requests: what goes is counted up to their product (hazard M7). */
const PAGE = 500
const MOST_PAGES = 20
export const MOST_COUNTED = PAGE * MOST_PAGES

/** What a trim would take from each group. @throws {MethodError} when there is no such stream or group. */
export async function planTrim(store: StreamStore, { stream, group, to }: TrimTarget): Promise<TrimPlan> {
  const [status] = await store.status([stream])
  if (!status || status.groups.length === 0) throw new MethodError('NotFound', `no group reads ${stream}`)
  const chosen = status.groups.filter(({ name }) => group === undefined || name === group)
  if (chosen.length === 0) throw new MethodError('NotFound', `${stream} has no group ${group}`)
  const last = lastToGo(status, to)
  const groups = await Promise.all(
    chosen.map(async (each) => ({
      name: each.name,
      status: each,
      loses: last === null ? 0 : await countUnacked(store, status, each, last),
      isActive: !isDeserted({ ...each, consumers: each.consumers.filter(({ name }) => name !== TRIM_CONSUMER) }),
    })),
  )
  return { to: last, groups, hash: hashOf(stream, last, groups) }
}

/** A plan as its lexicon has it. */
export function trimPlanOf({ to, groups, hash }: TrimPlan): PlanTrimOutput {
  return {
    ...(to !== null && { to, until: new Date(entryTime(to)).toISOString() }),
    groups: groups.map(({ name, loses, isActive }) => ({ name, loses, isActive })),
    hash,
  }
}

/** The last entry at or before a place, as far as the stream goes now. */
function lastToGo({ lastId }: StreamStatus, to: string): string | null {
  if (lastId === null || to === 'end') return lastId
  const place = /^\d{1,15}-\d{1,20}$/.test(to) ? to : timeId(to)
  return compareIds(place, lastId) < 0 ? place : lastId
}

/** The last id that an entry could have had before a time. */
function timeId(time: string): string {
  const ms = Date.parse(time)
  if (!/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(time) || Number.isNaN(ms))
    throw new MethodError('InvalidRequest', 'to is end, the id of an entry, or a time with its zone')
  return idBefore(`${ms}-0`)
}

async function countUnacked(
  store: StreamStore,
  stream: StreamStatus,
  group: GroupStatus,
  last: string,
): Promise<number> {
  const waiting = oldestWaitingId(group, stream)
  if (waiting === null || compareIds(waiting, last) > 0) return 0
  const isGoing = ({ id }: { id: string }): boolean => compareIds(id, last) <= 0
  const pending = await countPages((after) => store.pending(stream.stream, group.name, { after, limit: PAGE }), isGoing)
  const unread = await countPages(
    (after) => store.read(stream.stream, { after, limit: PAGE }),
    isGoing,
    group.lastDeliveredId,
  )
  return Math.min(MOST_COUNTED, pending + unread)
}

async function countPages(
  read: (after: string) => Promise<{ id: string }[]>,
  isGoing: (entry: { id: string }) => boolean,
  from = '0-0',
): Promise<number> {
  let count = 0
  let after = from
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const page = await read(after)
    const going = page.filter(isGoing).length
    count += going
    if (page.length < PAGE || going < page.length) break
    after = page.at(-1)!.id
  }
  return count
}

function hashOf(stream: string, to: string | null, groups: readonly PlannedGroup[]): string {
  const moved = groups.map(({ name, status: { lastDeliveredId, oldestPendingId, pending }, loses }) => [
    name,
    lastDeliveredId,
    oldestPendingId,
    pending,
    loses,
  ])
  return createHash('sha256')
    .update(JSON.stringify([stream, to, moved]))
    .digest('hex')
    .slice(0, 16)
}
