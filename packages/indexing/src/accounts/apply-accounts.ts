import { isBackfillSeq, type AccountEvent } from '@millrace/stream-protocol'
import type { Session, Statement } from '../session.ts'
import { compareText, indexedTime } from '../values.ts'

export interface AppliedAccounts {
  /** Accounts that are deleted now: their records have to go. */
  deleted: ReadonlySet<string>
  /** To run once the accounts have rows. */
  statements: Statement[]
}

/**
 * Notes what hosts say about accounts, each host by its own sequence numbers, and decides what readers see: hidden as
 * soon as one host says so (hazards I22, I23). A status that a backfill met counts until a firehose says more, and hides
 * at most: a host that cannot find a repo is no reason to remove what it once had.
 */
export async function applyAccounts(
  session: Session,
  events: readonly AccountEvent[],
  now: string,
): Promise<AppliedAccounts> {
  if (events.length === 0) return { deleted: new Set(), statements: [] }
  const newest = new Map<string, AccountEvent>()
  for (const event of events) {
    const key = `${event.did} ${event.host ?? ''}`
    const before = newest.get(key)
    if (!before || event.seq >= before.seq) newest.set(key, event)
  }
  const rows = [...newest.values()].sort((a, b) => compareText(a.did, b.did) || compareText(a.host ?? '', b.host ?? ''))
  const live = rows.filter((row) => !isBackfillSeq(row.seq)).map((row) => row.did)
  const dids = [...new Set(rows.map((row) => row.did))]
  const [, , statuses] = await session.all([
    live.length > 0
      ? { text: 'delete from millrace_account_status where did = any ($1::text[]) and seq < 0', values: [live] }
      : undefined,
    {
      text: `
        insert into millrace_account_status (did, host, active, status, seq, time)
        select * from unnest($1::text[], $2::text[], $3::boolean[], $4::text[], $5::bigint[], $6::text[])
        on conflict (did, host) do update set active = excluded.active, status = excluded.status, seq = excluded.seq, time = excluded.time
        where millrace_account_status.seq <= excluded.seq`,
      values: [
        rows.map((row) => row.did),
        rows.map((row) => row.host ?? ''),
        rows.map((row) => row.active),
        rows.map((row) => row.status ?? null),
        rows.map((row) => row.seq),
        rows.map((row) => indexedTime(row.time, now)),
      ],
    },
    {
      text: `select did, min(coalesce(status, 'inactive')) filter (where not active) as hidden, bool_or(not active and status = 'deleted' and seq >= 0) as deleted from millrace_account_status where did = any ($1::text[]) group by did`,
      values: [dids],
    },
  ] as const)
  const decided = statuses as { did: string; hidden: string | null; deleted: boolean | null }[]
  return {
    deleted: new Set(decided.filter((row) => row.deleted).map((row) => row.did)),
    statements: [
      {
        text: 'update actor set "upstreamStatus" = k.status from unnest($1::text[], $2::text[]) as k(did, status) where actor.did = k.did and actor."upstreamStatus" is distinct from k.status',
        values: [decided.map((row) => row.did), decided.map((row) => row.hidden)],
      },
    ],
  }
}
