/** What one system made of the frames of a firehose. */
export interface IngestMeasurement {
  /** From the connection to the answer for the last append. */
  seconds: number
  /** Processor time of all its threads, garbage collection included. */
  cpuSeconds: number
}

export interface IngestOptions {
  /** Of a firehose that sends its frames to whoever connects. */
  url: string
  /** An empty Redis. */
  redisUrl: string
  stream: string
  /** Sequence number of the last frame. */
  lastSeq: number
}

/** Works off a firehose, with a clock of its own. */
export type IngestSystem = (options: IngestOptions) => Promise<IngestMeasurement>

export const ingestSystemNames = ['reference', 'unverified', 'integrity', 'signatures', 'threads'] as const
export type IngestSystemName = (typeof ingestSystemNames)[number]

/** Runs the work with a clock of the wall and one of the processor. */
export async function measureIngest(work: () => Promise<void>): Promise<IngestMeasurement> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, cpuSeconds: (user + system) / 1_000_000 }
}
