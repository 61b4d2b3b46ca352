import type { DatabaseOptions } from '../database-options.ts'

/** What `millrace repair` was asked for. */
export interface RepairCommandOptions extends DatabaseOptions {
  /** Without scheme; every host that is read when it is undefined. */
  host: string | undefined
  since: Date | undefined
  until: Date | undefined
  dryRun: boolean
  /** Whether to stay until the end. */
  wait: boolean
}

/** What is done to one repair. */
export type RepairAction = 'show' | 'pause' | 'resume' | 'cancel'
