import type { GetFreshnessBucket } from '@millrace/admin-api'

export interface HeatCell {
  start: string
  rows: number
  isHole: boolean
  /** The hour that has only begun. */
  isOpen: boolean
  /** 0 for none, to 5. */
  shade: number
}

export interface HeatDay {
  /** `2025-10-14` */
  day: string
  /** One for each hour in UTC; undefined for those that were not asked for. */
  hours: (HeatCell | undefined)[]
}

/** Buckets of an hour each, as days of 24 hours in UTC. The greatest sets the darkest shade. */
export function daysOf(buckets: readonly GetFreshnessBucket[]): HeatDay[] {
  const greatest = Math.max(0, ...buckets.map(({ rows }) => rows))
  const days = new Map<string, HeatDay>()
  for (const [index, { start, rows, isHole }] of buckets.entries()) {
    const day = start.slice(0, 10)
    const known = days.get(day) ?? { day, hours: Array.from({ length: 24 }, () => undefined) }
    days.set(day, known)
    known.hours[Number(start.slice(11, 13))] = {
      start,
      rows,
      isHole,
      isOpen: index === buckets.length - 1,
      shade: shadeOf(rows, greatest),
    }
  }
  return [...days.values()]
}

/** 1 for a few, 5 for as many as anywhere. */
export function shadeOf(rows: number, greatest: number): number {
  if (rows <= 0 || greatest <= 0) return 0
  return Math.max(1, Math.ceil((rows / greatest) * 5))
}

export interface Hole {
  from: string
  /** The end of its last hour. */
  to: string
  hours: number
}

/** Hours without rows that follow each other are one hole. */
export function holesOf(buckets: readonly GetFreshnessBucket[], bucketSeconds: number): Hole[] {
  const holes: Hole[] = []
  let open: Hole | undefined
  for (const { start, isHole } of buckets) {
    if (!isHole) {
      open = undefined
      continue
    }
    if (!open) holes.push((open = { from: start, to: start, hours: 0 }))
    open.hours += bucketSeconds / 3_600
    open.to = new Date(Date.parse(start) + bucketSeconds * 1_000).toISOString()
  }
  return holes
}
