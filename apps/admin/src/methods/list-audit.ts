import { databaseOf, defineMethod, numberCursor } from './method.ts'

interface Row {
  id: number
  at: Date
  who: string
  method: string
  target: string
  reason: string | null
  before: string | null
  after: string | null
  undo: string | null
}

export const listAudit = defineMethod({
  name: 'listAudit',
  role: 'viewer',
  run: async ({ method, limit = 50, cursor }, context) => {
    const { rows } = await databaseOf(context).pool.query<Row>(
      `select id, at, who, method, target, reason, nullif(before::text, 'null') as before, nullif(after::text, 'null') as after, undo
       from millrace_audit where ($1::text is null or method = $1) and ($2::bigint is null or id < $2) order by id desc limit $3`,
      [method ?? null, numberCursor(cursor) ?? null, limit],
    )
    return {
      entries: rows.map(({ id, at, who, method, target, ...rest }) => ({
        id,
        at: at.toISOString(),
        who,
        method,
        target,
        ...(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)) as Record<string, string>),
      })),
      ...(rows.length === limit && { cursor: String(rows.at(-1)!.id) }),
    }
  },
})
