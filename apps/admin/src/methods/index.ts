import { controlRepair } from './control-repair.ts'
import { discardDeadLetters } from './discard-dead-letters.ts'
import { getDeadLetterGroups } from './get-dead-letter-groups.ts'
import { getDeadLetter } from './get-dead-letter.ts'
import { getDoctorReport } from './get-doctor-report.ts'
import { getFreshness } from './get-freshness.ts'
import { getLag } from './get-lag.ts'
import { getStatus } from './get-status.ts'
import { listAlerts } from './list-alerts.ts'
import { listAudit } from './list-audit.ts'
import { listCursors } from './list-cursors.ts'
import { listDeadLetters } from './list-dead-letters.ts'
import { listEntries } from './list-entries.ts'
import { listGaps } from './list-gaps.ts'
import { listPending } from './list-pending.ts'
import { listRepairs } from './list-repairs.ts'
import { listRepos } from './list-repos.ts'
import type { AnyMethod } from './method.ts'
import { resyncRepos } from './resync-repos.ts'
import { retryDeadLetters } from './retry-dead-letters.ts'
import { sendTestAlert } from './send-test-alert.ts'
import { setCursor } from './set-cursor.ts'
import { silenceAlert } from './silence-alert.ts'
import { startRepair } from './start-repair.ts'
import { traceSubject } from './trace-subject.ts'
import { unsilenceAlert } from './unsilence-alert.ts'

/** Every method of `dev.millrace.admin`. */
export const methods: readonly AnyMethod[] = [
  getStatus,
  getDoctorReport,
  traceSubject,
  getLag,
  getFreshness,
  listPending,
  listEntries,
  listRepos,
  resyncRepos,
  listCursors,
  setCursor,
  listGaps,
  listRepairs,
  startRepair,
  controlRepair,
  getDeadLetterGroups,
  listDeadLetters,
  getDeadLetter,
  retryDeadLetters,
  discardDeadLetters,
  listAlerts,
  silenceAlert,
  unsilenceAlert,
  sendTestAlert,
  listAudit,
]
