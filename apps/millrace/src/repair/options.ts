import type { ApiOptions } from '../admin/api-options.ts'

/** What `millrace repair` was asked for. */
export interface RepairCommandOptions extends ApiOptions {
  /** Without scheme; every host that is read when it is undefined. */
  host: string | undefined
  since: Date | undefined
  until: Date | undefined
  dryRun: boolean
  /** For the audit log. */
  reason: string | undefined
  /** Whether to stay until the end. */
  wait: boolean
}

/** What is done to one repair. */
export type RepairAction = 'show' | 'pause' | 'resume' | 'cancel'
