import { parseDuration } from '@millrace/runtime/command'

/** A time as people write it: `2026-10-14`, `2026-10-14T08:00:00Z`, or `10d` for so long ago. */
export function readMoment(text: string, now: number): Date | undefined {
  const ago = parseDuration(text.trim())
  if (ago !== undefined) return new Date(now - ago)
  // Without a zone a time would be one of wherever this runs.
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return undefined
  const moment = new Date(text)
  return Number.isNaN(moment.getTime()) ? undefined : moment
}
