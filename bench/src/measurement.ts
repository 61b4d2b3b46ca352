/** What one system did with the events. */
export interface Measurement {
  system: SystemName
  events: number
  /** Events it could not index. */
  failed: number
  /** From the first event to the last commit, and whatever the system does after it for the same events. */
  seconds: number
  perSecond: number
}

export interface SystemOptions {
  /** Events as JSON lines. */
  eventsFile: string
  /** An empty database. */
  postgresUrl: string
  /** An empty Redis. */
  redisUrl: string
  /** Whether the reference takes one event after the other, which is slower. @default false */
  inOrder?: boolean
}

export const systemNames = ['ours', 'reference', 'ceiling'] as const
export type SystemName = (typeof systemNames)[number]

/** Indexes the events of a file, with a clock of its own. */
export type System = (options: SystemOptions) => Promise<Measurement>

export function measurement(system: SystemName, events: number, failed: number, seconds: number): Measurement {
  return { system, events, failed, seconds, perSecond: events / seconds }
}

/** Seconds that the work took. */
export async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}
