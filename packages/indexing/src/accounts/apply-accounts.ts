import { isGuarded } from '@millrace/failpoints'
import { cutToBytes, storableText } from '@millrace/database'
import { isBackfillSeq, type AccountEvent } from '@millrace/stream-protocol'
import type { Session, Statement } from '../session.ts'
import { compareText, indexedTime } from '../values.ts'
import { decideAccount, type HeldAccount, type HostWord } from './account-state.ts'
import { heldAccount, readAccounts, readWords, writeAccount, type StoredAccount } from './stored-account.ts'

export interface AppliedAccounts {
  /** How each account stands that the events are about. */
  states: ReadonlyMap<string, HeldAccount>
  /** Accounts that were hidden, and are seen again: their repos have to be looked at. */
  returned: readonly string[]
  /** To run once the accounts have rows. */
  statements: (Statement | undefined)[]
}

export interface ApplyAccountsOptions {
  now: string
  /** Whether a PDS is asked before an account is removed. */
  asks: boolean
}

/**
 * Notes what hosts say about accounts, each host by its own sequence numbers, and decides at once what readers see
 * (hazards I22, I23). What a PDS has answered before is no news any more: where it has to be asked, the question goes
 * into its queue with the same transaction (hazard D9). The locks of the accounts are held.
 */
export async function applyAccounts(
  session: Session,
  events: readonly AccountEvent[],
  { now, asks }: ApplyAccountsOptions,
): Promise<AppliedAccounts> {
  if (events.length === 0) return { states: new Map(), returned: [], statements: [] }
  const dids = [...new Set(events.map((event) => event.did))].sort(compareText)
  const [, changed, words, stored] = await session.all([
    forgetBackfilled(events),
    noteWords(newestOfEach(events), now),
    readWords(dids),
    readAccounts(dids),
  ] as const)
  const heard = new Set((changed as { did: string }[]).map(({ did }) => did))
  const wordsOf = Map.groupBy(words as (HostWord & { did: string })[], ({ did }) => did)
  const storedOf = new Map((stored as StoredAccount[]).map((account) => [account.did, account]))

  const states = new Map<string, HeldAccount>()
  const returned: string[] = []
  const statements: (Statement | undefined)[] = []
  const hidden: { did: string; hidden: string | null }[] = []
  for (const did of dids) {
    const before = storedOf.get(did)
    const said = wordsOf.get(did) ?? []
    if (!heard.has(did)) {
      states.set(did, before ? heldAccount(before, said) : { hidden: null, held: false, deleted: false, words: said })
      continue
    }
    const decision = decideAccount(said, { answer: null, deleted: before?.deleted ?? false, asks })
    states.set(did, { ...decision, words: said })
    statements.push(writeAccount({ did, decision, isKnown: before !== undefined }))
    hidden.push({ did, hidden: decision.hidden })
    if (before?.hidden && decision.hidden === null) returned.push(did)
  }
  return { states, returned, statements: [...statements, hideActors(hidden)] }
}

/** What readers see of accounts. What moderation has decided here is another column, and stays (hazard I23). */
export function hideActors(accounts: readonly { did: string; hidden: string | null }[]): Statement | undefined {
  if (accounts.length === 0) return undefined
  return {
    text: 'update actor set "upstreamStatus" = k.hidden from unnest($1::text[], $2::text[]) as k(did, hidden) where actor.did = k.did and actor."upstreamStatus" is distinct from k.hidden',
    values: [accounts.map(({ did }) => did), accounts.map(({ hidden }) => hidden)],
  }
}

/** What a backfill met is forgotten once a firehose says something. */
function forgetBackfilled(events: readonly AccountEvent[]): Statement | undefined {
  const live = events.filter(({ seq }) => !isBackfillSeq(seq)).map(({ did }) => did)
  if (live.length === 0) return undefined
  return {
    text: 'delete from millrace_account_status where did = any ($1::text[]) and seq < 0',
    values: [[...new Set(live)]],
  }
}

/** The newest of each host; of one number, what is later in the stream. */
function newestOfEach(events: readonly AccountEvent[]): AccountEvent[] {
  const newest = new Map<string, AccountEvent>()
  for (const event of events) {
    const key = JSON.stringify([event.did, event.host ?? ''])
    const before = newest.get(key)
    const order = before ? (event.epoch ?? 0) - (before.epoch ?? 0) || event.seq - before.seq : 0
    if (order >= 0) newest.set(key, event)
  }
  return [...newest].sort(([a], [b]) => compareText(a, b)).map(([, event]) => event)
}

/** An older word changes nothing, and neither does one that is there: a backfill's has no number, and is new each time. */
function noteWords(rows: readonly AccountEvent[], now: string): Statement {
  return {
    text: `
      insert into millrace_account_status as s (did, host, active, status, epoch, seq, time)
      select * from unnest($1::text[], $2::text[], $3::boolean[], $4::text[], $5::integer[], $6::bigint[], $7::text[]) as k
      on conflict (did, host) do update set active = excluded.active, status = excluded.status, epoch = excluded.epoch, seq = excluded.seq, time = excluded.time
      where ${isGuarded('account-order') ? '(s.epoch, s.seq) < (excluded.epoch, excluded.seq)' : 'true'} or (s.seq < 0 and excluded.seq < 0)
      returning did`,
    values: [
      rows.map((row) => row.did),
      rows.map((row) => word(row.host ?? '')),
      rows.map((row) => row.active),
      rows.map((row) => (row.status === undefined ? null : word(row.status))),
      rows.map((row) => row.epoch ?? 0),
      rows.map((row) => row.seq),
      rows.map((row) => indexedTime(row.time, now)),
    ],
  }
}

/** Any text may come, and none is a reason to fail (hazard I22). */
function word(text: string): string {
  return cutToBytes(storableText(text), 250)
}
