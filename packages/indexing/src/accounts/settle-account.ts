import { dirtyStatement } from '@millrace/database'
import type { Session, Statement } from '../session.ts'
import { takeLocks } from '../batch-locks.ts'
import { decideAccount, type AccountState, type Decision, type HostWord, type PdsAnswer } from './account-state.ts'
import { hideActors } from './apply-accounts.ts'
import { readAccounts, readWords, type StoredAccount } from './stored-account.ts'

export interface SettleOptions {
  did: string
  /** Of the question that is answered. */
  requestedAt: string
  answer: PdsAnswer
}

/** What an account's PDS said of it, and whether that counts. */
export interface SettledAccount extends AccountState {
  /** False when something was heard of the account while its PDS was asked: the answer is of before. */
  isSettled: boolean
}

/** Decides about an account by the answer of its PDS, all in one transaction (hazard D9). */
export async function settleAccount(
  session: Session,
  { did, requestedAt, answer }: SettleOptions,
): Promise<SettledAccount> {
  const [, accounts, words] = await session.all([takeLocks([did]), readAccounts([did]), readWords([did])] as const)
  const [before] = accounts as StoredAccount[]
  if (!before || before.requestedAt !== requestedAt) {
    const { hidden = null, held = false, deleted = false } = before ?? {}
    return { hidden, held, deleted, isSettled: false }
  }
  const said = words as HostWord[]
  const decision = decideAccount(said, { answer, deleted: before.deleted, asks: true })
  const isOverruled = said.some(({ active, seq }) => !active && seq >= 0)
  await session.all([
    // What a backfill met has been asked about now.
    answer.answer === 'unknown'
      ? undefined
      : { text: 'delete from millrace_account_status where did = $1 and seq < 0', values: [did] },
    decision.hidden === null && !isOverruled
      ? { text: 'delete from millrace_account where did = $1', values: [did] }
      : writeAnswer(did, decision, answer),
    hideActors([{ did, hidden: decision.hidden }]),
    before.hidden !== null && decision.hidden === null ? dirtyStatement([{ did, reason: 'reactivated' }]) : undefined,
  ])
  return { ...decision, isSettled: true }
}

/** What is to be removed stays in the queue until it is: see `removeAccount`. */
function writeAnswer(did: string, { hidden, held, deleted }: Decision, { answer, status }: PdsAnswer): Statement {
  return {
    text: `
      update millrace_account set hidden = $2, held = $3, deleted = $4, answer = $5, answer_status = $6, asked_at = now(),
        attempts = 0, last_error = null, next_at = case when $4 then next_at end
      where did = $1`,
    values: [did, hidden, held, deleted, answer, status ?? null],
  }
}
