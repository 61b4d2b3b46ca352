import { peakMegabytes } from '@millrace/testing/results'

/** What one system took for some repos. */
export interface BackfillMeasurement {
  /** Of all threads of its process. */
  cpuSeconds: number
  seconds: number
  /** Most that its process ever took. */
  residentMegabytes: number
}

export interface BackfillOptions {
  /** A folder as `makeRepos` fills it. */
  folder: string
  /** Where its repos are served. */
  url: string
}

/** One way of doing one part, with a clock of its own. */
export type BackfillSystem = (options: BackfillOptions) => Promise<BackfillMeasurement>

/**
 * - `verify`: one large repo with its signature, in memory
 * - `entries`: the same, verified already, to entries of a stream
 * - `repos`: many small repos from a host to a sink
 * - `memory`: one very large repo, from a file
 */
export const backfillParts = ['verify', 'entries', 'repos', 'memory'] as const
export type BackfillPart = (typeof backfillParts)[number]

export const backfillSystemNames = ['ours', 'reference'] as const
export type BackfillSystemName = (typeof backfillSystemNames)[number]

/** What some work costs the process. */
export async function measure(work: () => Promise<void>): Promise<BackfillMeasurement> {
  const started = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return {
    cpuSeconds: (user + system) / 1e6,
    seconds: (performance.now() - started) / 1000,
    residentMegabytes: await peakMegabytes(process.pid),
  }
}

/** Once for the compiler, and then for the clock. */
export async function measureWarm(work: () => Promise<void>): Promise<BackfillMeasurement> {
  for (let time = 0; time < 2; time++) await work()
  return await measure(work)
}
