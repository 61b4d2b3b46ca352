import { PostgresState, type Database, type PauseWatch } from '@millrace/database'
import { HostPacer, type HostPacerOptions, type HostState } from '@millrace/repo-backfill'
import type { Logger } from '@millrace/stream-protocol'
import { PausablePacer } from './pausable-pacer.ts'

export interface SharedPacerOptions {
  database: Database
  /** Hosts that are asked for nothing now. */
  pauses?: Pick<PauseWatch, 'leftMs'> | undefined
  logger: Logger
}

/** What hosts take is learned by all processes of a database together, and known after a restart. */
export function sharedPacer({ database, pauses, logger }: SharedPacerOptions): HostPacer {
  let warnAgainAt = 0
  const options: HostPacerOptions = {
    states: new PostgresState<HostState>({ database, scope: 'hosts' }),
    onError: (error) => {
      if (performance.now() < warnAgainAt) return
      warnAgainAt = performance.now() + 60_000
      logger.warn({ err: error }, 'cannot share what hosts take: going by what is known here')
    },
  }
  return pauses ? new PausablePacer({ ...options, pauses }) : new HostPacer(options)
}
