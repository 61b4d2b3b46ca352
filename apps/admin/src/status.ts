import type { Pause } from '@millrace/admin-api'
import type { GroupVerdict, ProblemCode, Severity } from '@millrace/diagnosis'

/** What `dev.millrace.admin.getStatus` answers; its lexicon says what each field means. */
export interface Status {
  status: 'ok' | 'degraded' | 'failing'
  checkedAt: string
  problems: ProblemReport[]
  store: { kind: string; location: string }
  streams: StreamReport[]
  cursors: CursorReport[]
  database?: DatabaseReport
  /** Absent without a database. */
  pauses?: Pause[]
}

export interface ProblemReport {
  code: ProblemCode
  severity: Severity
  subject: string
  since: string
  message: string
  meaning: string
  command: string
  runbook: string
}

export interface StreamReport {
  name: string
  length: number
  appended?: number
  firstId?: string
  lastId?: string
  firstAgeSeconds?: number
  lastAgeSeconds?: number
  lagSeconds: number
  groups: GroupReport[]
}

export interface GroupReport {
  name: string
  verdict?: GroupVerdict | 'paused'
  silentSeconds?: number
  pending: number
  undelivered?: number
  oldestPendingAgeSeconds?: number
  lagSeconds: number
  lastDeliveredId: string
  consumers: ConsumerReport[]
}

export interface ConsumerReport {
  name: string
  pending: number
  idleSeconds: number
}

export interface CursorReport {
  stream: string
  host: string
  cursor?: string
  done: boolean
}

export interface DatabaseReport {
  location: string
  deadLetters: { reason: string; count: number }[]
  dirty: { count: number; oldestAgeSeconds?: number }
  gaps: { host: string; stream: string; reason: string; fromSeq?: string; toSeq?: string; openedAt: string }[]
  tables: { name: string; rows: number }[]
}
