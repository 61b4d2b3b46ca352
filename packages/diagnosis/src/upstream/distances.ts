import type { Probe } from './probe.ts'

/** How far our cursor is from the newest event of a host, and from the oldest that it keeps. */
export interface Distances {
  /**
   * How much older than the newest event the first one after our cursor is, or than now when the host is quiet; absent
   * when there is none, or it has no time.
   */
  behindSeconds?: number
  /** How long until the host forgets that event; absent when that is not known, or it never forgets. */
  timeToLossSeconds?: number
}

/** By the times of the host alone where it is not quiet: the clock of a simulated network is another one. */
export function distances({ position, oldest, next, head, askedAt }: Probe): Distances {
  const nextAt = Date.parse(next?.time ?? '')
  const oldestAt = Date.parse(oldest?.time ?? '')
  const headAt = Date.parse(head?.time ?? '')
  const newestAt = Number.isNaN(headAt) ? askedAt : headAt
  return {
    ...(!Number.isNaN(nextAt) && { behindSeconds: Math.max(0, Math.round((newestAt - nextAt) / 1_000)) }),
    ...(!Number.isNaN(nextAt) &&
      !Number.isNaN(oldestAt) &&
      // A host that has its first event has forgotten nothing.
      (oldest?.seq ?? 0) > 1 &&
      position === 'within' && { timeToLossSeconds: Math.max(0, Math.round((nextAt - oldestAt) / 1_000)) }),
  }
}
