import type { Change } from '@millrace/admin-api'
import { databaseOf, type MethodContext } from './method.ts'

export interface AuditedChange {
  method: string
  /** What is changed, for people. */
  target: string
  reason: string | undefined
  before?: unknown
  after?: unknown
  /** A command that takes it back. */
  undo?: string | undefined
}

/**
 * Makes a change, and keeps who made it, with what was before (hazard M4). The note is there before the change is: one
 * that cannot be noted is not made, and one that fails is noted as such.
 */
export async function audited(
  context: MethodContext,
  { method, target, reason, before = null, after = null, undo }: AuditedChange,
  make: () => Promise<{ changed: number; summary: string }>,
): Promise<Change> {
  const { pool } = databaseOf(context)
  const { rows } = await pool.query<{ id: number }>(
    `insert into millrace_audit (who, method, target, reason, before, after, undo)
     values ($1, $2, left($3, 1000), left($4, 500), $5, $6, $7) returning id`,
    [context.caller.who, method, target, reason ?? null, JSON.stringify(before), JSON.stringify(after), undo ?? null],
  )
  const auditId = rows[0]!.id
  try {
    const { changed, summary } = await make()
    if (changed === 0) {
      await pool.query('delete from millrace_audit where id = $1', [auditId])
      return { changed, summary, dryRun: false }
    }
    return { changed, summary, auditId, dryRun: false, ...(undo !== undefined && { undo }) }
  } catch (error) {
    await pool.query(`update millrace_audit set after = '{"failed": true}', undo = null where id = $1`, [auditId])
    throw error
  }
}
