import { addRepos } from './add-repos.ts'
import { applyTrim } from './apply-trim.ts'
import { controlBackfill } from './control-backfill.ts'
import { controlRepair } from './control-repair.ts'
import { discardDeadLetters } from './discard-dead-letters.ts'
import { editDeadLetter } from './edit-dead-letter.ts'
import { exportDeadLetters } from './export-dead-letters.ts'
import { getBackfill } from './get-backfill.ts'
import { getDeadLetter } from './get-dead-letter.ts'
import { getDeadLetterGroups } from './get-dead-letter-groups.ts'
import { getDoctorReport } from './get-doctor-report.ts'
import { getFreshness } from './get-freshness.ts'
import { getHost } from './get-host.ts'
import { getLag } from './get-lag.ts'
import { getLagHistory } from './get-lag-history.ts'
import { getRepair } from './get-repair.ts'
import { getRepo } from './get-repo.ts'
import { getStatus } from './get-status.ts'
import { listAlerts } from './list-alerts.ts'
import { listAudit } from './list-audit.ts'
import { listCursors } from './list-cursors.ts'
import { listDeadLetters } from './list-dead-letters.ts'
import { listEntries } from './list-entries.ts'
import { listGaps } from './list-gaps.ts'
import { listHosts } from './list-hosts.ts'
import { listPauses } from './list-pauses.ts'
import { listPending } from './list-pending.ts'
import { listRepairs } from './list-repairs.ts'
import { listRepos } from './list-repos.ts'
import type { AnyMethod } from './method.ts'
import { pause } from './pause.ts'
import { planTrim } from './plan-trim.ts'
import { recount } from './recount.ts'
import { resume } from './resume.ts'
import { resyncRepos } from './resync-repos.ts'
import { retryDeadLetters } from './retry-dead-letters.ts'
import { retryFailed } from './retry-failed.ts'
import { sendTestAlert } from './send-test-alert.ts'
import { setCursor } from './set-cursor.ts'
import { silenceAlert } from './silence-alert.ts'
import { startRepair } from './start-repair.ts'
import { traceSubject } from './trace-subject.ts'
import { unsilenceAlert } from './unsilence-alert.ts'
import { verifyRepo } from './verify-repo.ts'

/** Every method of `dev.millrace.admin`. */
export const methods: readonly AnyMethod[] = [
  getStatus,
  getDoctorReport,
  traceSubject,
  getLag,
  getLagHistory,
  getFreshness,
  listPending,
  listEntries,
  planTrim,
  applyTrim,
  listRepos,
  getRepo,
  verifyRepo,
  resyncRepos,
  listCursors,
  setCursor,
  getBackfill,
  controlBackfill,
  addRepos,
  retryFailed,
  listHosts,
  getHost,
  listPauses,
  pause,
  resume,
  listGaps,
  listRepairs,
  getRepair,
  startRepair,
  controlRepair,
  getDeadLetterGroups,
  listDeadLetters,
  getDeadLetter,
  exportDeadLetters,
  editDeadLetter,
  retryDeadLetters,
  discardDeadLetters,
  recount,
  listAlerts,
  silenceAlert,
  unsilenceAlert,
  sendTestAlert,
  listAudit,
]
