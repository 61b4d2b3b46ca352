import type { Probe } from './probe.ts'

/** How far our cursor is from the newest event of a host, and from the oldest that it keeps. */
export interface Distances {
  /** Age of the first event after our cursor; absent when there is none, or it has no time. */
  behindSeconds?: number
  /** How long until the host forgets that event; absent when that is not known, or it never forgets. */
  timeToLossSeconds?: number
}

export function distances({ position, oldest, next, askedAt }: Probe): Distances {
  const nextAt = Date.parse(next?.time ?? '')
  const oldestAt = Date.parse(oldest?.time ?? '')
  return {
    ...(!Number.isNaN(nextAt) && { behindSeconds: Math.max(0, Math.round((askedAt - nextAt) / 1_000)) }),
    ...(!Number.isNaN(nextAt) &&
      !Number.isNaN(oldestAt) &&
      // A host that has its first event has forgotten nothing.
      (oldest?.seq ?? 0) > 1 &&
      position === 'within' && { timeToLossSeconds: Math.max(0, Math.round((nextAt - oldestAt) / 1_000)) }),
  }
}
