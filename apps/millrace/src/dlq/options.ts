import type { DeadLetterFilter } from '@millrace/database'

/** What a `millrace dlq` was asked for. */
export type DlqRequest =
  | { command: 'summary'; filter: DeadLetterFilter }
  | { command: 'list'; filter: DeadLetterFilter; limit: number }
  /** With `payload`, prints the payload alone, as it is. */
  | { command: 'show'; id: number; payload: boolean }
  | { command: 'retry'; filter: DeadLetterFilter; dryRun: boolean }
  | { command: 'edit'; id: number; payload: string }
  | { command: 'discard'; filter: DeadLetterFilter; yes: boolean }
