import { bookkeeping } from './0001-bookkeeping.ts'
import { labels } from './0002-labels.ts'
import { handleSchedule } from './0003-handle-schedule.ts'
import { runs } from './0004-runs.ts'
import { repairs } from './0005-repairs.ts'
import { accounts } from './0006-accounts.ts'
import { leases } from './0007-leases.ts'
import { deadLetters } from './0008-dead-letters.ts'
import { audit } from './0009-audit.ts'
import { states } from './0010-states.ts'
import { pauses } from './0011-pauses.ts'
import { alarms } from './0012-alarms.ts'

/** A change of the schema, which is made once and in the order of names. */
export interface Migration {
  readonly name: string
  readonly sql: string
}

/** Our own, in order. A name never changes once it was released, and neither does its SQL. */
export const migrations: readonly Migration[] = [
  bookkeeping,
  labels,
  handleSchedule,
  runs,
  repairs,
  accounts,
  leases,
  deadLetters,
  audit,
  states,
  pauses,
  alarms,
]
