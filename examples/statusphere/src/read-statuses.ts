import type { Database } from '@millrace/database'
import type { StatusRow } from './statusphere.ts'

export interface StatusView {
  uri: string
  did: string
  /** Absent while it is not known that account and handle agree. */
  handle?: string
  status: string
  createdAt: string
}

export interface StatusPage {
  statuses: StatusView[]
  /** Of the next page; absent on the last one. */
  cursor?: string
}

/** The newest status of each account, newest first. Undefined for a cursor that we have not given out. */
export async function readStatuses(
  { db }: Pick<Database, 'db'>,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<StatusPage | undefined> {
  const [createdAt, uri] = cursor?.split(' ') ?? []
  if (cursor !== undefined && (createdAt === undefined || uri === undefined)) return undefined
  const newest = db
    .withTables<{ status: StatusRow }>()
    .selectFrom('status')
    .distinctOn('creator')
    .select(['uri', 'creator', 'status', 'createdAt'])
    .orderBy('creator')
    .orderBy('createdAt', 'desc')
    .orderBy('uri', 'desc')
  const rows = await db
    .selectFrom(newest.as('status'))
    .innerJoin('actor', 'actor.did', 'status.creator')
    .select(['status.uri', 'actor.did', 'actor.handle', 'status.status', 'status.createdAt'])
    // An account that is deactivated, suspended or taken down is not shown.
    .where('actor.upstreamStatus', 'is', null)
    .where('actor.takedownRef', 'is', null)
    .$if(cursor !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('status.createdAt', 'status.uri'), '<', tuple(createdAt!, uri!)),
      ),
    )
    .orderBy('status.createdAt', 'desc')
    .orderBy('status.uri', 'desc')
    .limit(limit)
    .execute()
  const last = rows.at(-1)
  return {
    statuses: rows.map(({ handle, ...row }) => ({ ...row, ...(handle !== null && { handle }) })),
    ...(last && rows.length === limit && { cursor: `${last.createdAt} ${last.uri}` }),
  }
}
