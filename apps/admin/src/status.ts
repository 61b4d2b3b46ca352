/** What `dev.millrace.admin.getStatus` answers; its lexicon says what each field means. */
export interface Status {
  status: 'ok' | 'degraded' | 'failing'
  checkedAt: string
  problems: Problem[]
  store: { kind: 'redis' | 'sqlite'; location: string }
  streams: StreamReport[]
  cursors: CursorReport[]
  database?: DatabaseReport
}

export type ProblemCode =
  | 'streams-away'
  | 'cursors-away'
  | 'database-away'
  | 'lag'
  | 'no-group'
  | 'stalled'
  | 'stopped'
  | 'dead-letters'
  | 'dirty'
  | 'gaps'

export interface Problem {
  code: ProblemCode
  message: string
}

export interface StreamReport {
  name: string
  length: number
  firstId?: string
  lastId?: string
  firstAgeSeconds?: number
  lastAgeSeconds?: number
  lagSeconds: number
  groups: GroupReport[]
}

/**
 * Whether a group gets on, judged by what it acks: `idle` when nothing waits, `slow` when it gets on far behind, `stalled`
 * when it acks nothing although entries wait, `stopped` when none of its consumers is heard of either.
 */
export type GroupVerdict = 'ok' | 'idle' | 'slow' | 'stalled' | 'stopped'

export interface GroupReport {
  name: string
  verdict?: GroupVerdict
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
