import type { Database } from '@millrace/database'
import type { RepairState } from './repair.ts'

/** Events that may be missing, until a repair has closed it. */
export interface OpenGap {
  id: number
  /** Without scheme; empty when it is not known which, and so all may be. */
  host: string
  stream: string
  reason: string
  fromSeq: string | null
  toSeq: string | null
  /** The time that it spans, where that is known. */
  since: Date | null
  until: Date | null
  openedAt: Date
  /** The repair that closes it; null as long as none is planned. */
  repair: number | null
  repairState: RepairState | null
}

/** The oldest first. */
export async function readOpenGaps({ pool }: Database, limit = 1_000): Promise<OpenGap[]> {
  const { rows } = await pool.query<OpenGap>(
    `select g.id, g.host, g.stream, g.reason, g.from_seq as "fromSeq", g.to_seq as "toSeq", g.since, g.until,
       g.opened_at as "openedAt", g.repair, r.state as "repairState"
     from millrace_gap g left join millrace_repair r on r.id = g.repair
     where g.closed_at is null order by g.id limit $1`,
    [limit],
  )
  return rows
}
