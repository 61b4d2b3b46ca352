import { rotated, Rounds, type Round } from './rounds.ts'
import type { Servers } from './servers.ts'
import type { Measurement, SystemName } from './systems/measurement.ts'
import { runSystem } from './systems/run-system.ts'

export interface RoundsOptions {
  servers: Servers
  systems: readonly SystemName[]
  rounds: number
  eventsFile: string
  stream: string
  /** Database that each begins with. @default an empty one */
  template?: string
  onProgress: (text: string) => void
}

/** Measures each system once a round, in a process and a database of its own. */
export async function runRounds(options: RoundsOptions): Promise<Rounds> {
  const { servers, systems, rounds, eventsFile, stream, template, onProgress } = options
  const measured: Round[] = []
  for (let number = 0; number < rounds; number++) {
    onProgress(`round ${number + 1} of ${rounds}`)
    const round: Round = {}
    for (const name of rotated(systems, number)) {
      const database = `bench_${name}`
      const postgresUrl = await servers.createDatabase(database, template)
      await servers.emptyRedis()
      round[name] = await runSystem(name, { eventsFile, postgresUrl, redisUrl: servers.redisUrl, stream })
      await servers.dropDatabase(database)
      onProgress(`  ${describe(round[name])}`)
    }
    measured.push(round)
  }
  return new Rounds(measured)
}

function describe({ system, records, failed, perSecond, synchronousCommit }: Measurement): string {
  const speed = `${Math.round(perSecond).toLocaleString('en')} records/s`
  return `${system}: ${speed}, ${records} records, ${failed} failed, synchronous_commit = ${synchronousCommit}`
}
