import type { Statement } from '../session.ts'
import type { AccountState, Decision, HeldAccount, HostWord } from './account-state.ts'

/** A row of `millrace_account`. */
export interface StoredAccount extends AccountState {
  did: string
  /** As Postgres writes it: a JavaScript date would lose its microseconds. */
  requestedAt: string
}

export function readAccounts(dids: readonly string[]): Statement {
  return {
    text: 'select did, hidden, held, deleted, requested_at::text as "requestedAt" from millrace_account where did = any ($1::text[])',
    values: [dids],
  }
}

export function readWords(dids: readonly string[]): Statement {
  return {
    text: 'select did, host, active, status, epoch, seq from millrace_account_status where did = any ($1::text[])',
    values: [dids],
  }
}

/** Accounts that are hidden, each with the words of hosts that say so: one row for each of these. */
export function readHidden(dids: readonly string[]): Statement {
  return {
    text: `
      select a.did, a.hidden, a.held, a.deleted, s.host, s.epoch, s.seq
      from millrace_account a left join millrace_account_status s on s.did = a.did and not s.active and s.seq >= 0
      where a.did = any ($1::text[]) and a.hidden is not null`,
    values: [dids],
  }
}

/** What `readHidden` found, by account. */
export function hiddenAccounts(
  rows: readonly (AccountState & { did: string; host: string | null; epoch: number; seq: number })[],
): Map<string, HeldAccount> {
  const accounts = new Map<string, HeldAccount>()
  for (const [did, ofOne] of Map.groupBy(rows, (row) => row.did)) {
    const words = ofOne.flatMap(({ host, epoch, seq }): HostWord[] =>
      host === null ? [] : [{ host, active: false, status: null, epoch, seq }],
    )
    accounts.set(did, heldAccount(ofOne[0]!, words))
  }
  return accounts
}

export function heldAccount({ hidden, held, deleted }: AccountState, words: readonly HostWord[]): HeldAccount {
  return { hidden, held, deleted, words }
}

/** Questions about one account that events ask for follow each other not faster. */
const EVENT_PAUSE = `interval '10 seconds'`
/** Those that something else asks for, such as a commit of an account that we do not show: statuses get stuck. */
const HINT_PAUSE = `interval '1 hour'`

/**
 * Stores what is decided after a word of a host, and has its PDS asked where it has to be. An account that is seen, and
 * about which there is nothing to ask, has no row.
 */
export function writeAccount({
  did,
  decision: { hidden, held, deleted, ask },
  isKnown,
}: {
  did: string
  decision: Decision
  isKnown: boolean
}): Statement | undefined {
  if (hidden === null && !ask)
    return isKnown ? { text: 'delete from millrace_account where did = $1', values: [did] } : undefined
  return {
    text: `
      insert into millrace_account as a (did, hidden, held, deleted, next_at) values ($1, $2, $3, $4, case when $5 then now() end)
      on conflict (did) do update set hidden = excluded.hidden, held = excluded.held, deleted = excluded.deleted,
        answer = null, answer_status = null, requested_at = now(), attempts = 0, last_error = null,
        next_at = case when $5 then greatest(now(), a.asked_at + ${EVENT_PAUSE}) end`,
    values: [did, hidden, held, deleted, ask],
  }
}

/** Has the PDS of hidden accounts asked again, unless that was done a while ago. */
export function askAgain(dids: readonly string[]): Statement | undefined {
  if (dids.length === 0) return undefined
  return {
    text: `
      update millrace_account set requested_at = now(), attempts = 0, next_at = greatest(now(), asked_at + ${HINT_PAUSE})
      where did = any ($1::text[]) and next_at is null`,
    values: [dids],
  }
}

/** Has the PDS of any account asked, unless that was done a while ago or the account is deleted already. */
export function askAbout(dids: readonly string[]): Statement | undefined {
  if (dids.length === 0) return undefined
  return {
    text: `
      insert into millrace_account as a (did, next_at) select did, now() from unnest($1::text[]) as did
      on conflict (did) do update set requested_at = now(), attempts = 0, next_at = greatest(now(), a.asked_at + ${HINT_PAUSE})
      where a.next_at is null and not a.deleted`,
    values: [dids],
  }
}

/** Time that a question or a part of a removal may take before another process takes it up: a killed one keeps it so long. */
export const LEASE_SECONDS = 60

/**
 * Whether an account is deleted still, which gives a row: it may have come back since that was decided. Whoever removes
 * it keeps it for another while, should it be in the queue.
 */
export function removalGoesOn(did: string): Statement {
  return {
    text: 'update millrace_account set next_at = case when next_at is not null then now() + make_interval(secs => $2) end where did = $1 and deleted returning did',
    values: [did, LEASE_SECONDS],
  }
}
