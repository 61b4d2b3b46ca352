import type { GetRepoOutput, VerifyRepoOutput } from '@millrace/admin-api'
import { amount, moment, shown } from './words.ts'

/** What is kept about one account. A function of values. */
export function renderRepo(repo: GetRepoOutput): string[] {
  const { did, handle, rev, brokenSince, hidden, statuses, mark, runs, records, deadLetters, pausedCollections } = repo
  return [
    `${shown(did)}${handle === undefined ? '' : ` (${shown(handle)})`}: ${amount(records)} records, ${rev === undefined ? 'never complete' : `complete up to revision ${shown(rev)}`}`,
    ...(brokenSince === undefined ? [] : [`  something after revision ${shown(brokenSince)} is missing`]),
    ...(hidden === undefined ? [] : [`  not shown to readers: ${shown(hidden)}`]),
    ...statuses.map(
      ({ host, active, status, time }) =>
        `  ${shown(host)} says it is ${active ? 'active' : shown(status ?? 'not active')}, ${moment(time)}`,
    ),
    ...(mark ? [`  ${waiting(mark)}`] : []),
    ...runs.map(
      ({ rev, openedAt, records }) =>
        `  revision ${shown(rev)} is being applied since ${moment(openedAt)}${records === undefined ? '' : `, ${amount(records)} records`}`,
    ),
    ...(deadLetters === 0 ? [] : [`  ${amount(deadLetters)} dead letters: millrace dlq list --did ${shown(did)}`]),
    ...(pausedCollections.length === 0 ? [] : [`  paused: ${pausedCollections.map(shown).join(', ')}`]),
  ]
}

function waiting({ reason, since, nextAt, attempts, lastError, reindex }: NonNullable<GetRepoOutput['mark']>): string {
  return [
    `to be fetched (${shown(reason)}) since ${moment(since)}`,
    ...(reindex ? ['all rows are derived anew'] : []),
    nextAt === undefined ? 'paused' : `not before ${moment(nextAt)}`,
    ...(attempts === 0 ? [] : [`tried ${attempts} times: ${shown(lastError)}`]),
  ].join(', ')
}

const results: Readonly<Record<string, string>> = {
  same: 'its PDS has the same records',
  diverged: 'its PDS has other records, at the same revision',
  moved: 'its PDS is at another revision: what differs may be on its way',
  gone: 'its PDS has no such repo',
  invalid: 'what its PDS has does not hold',
}

/** How an account compares with its PDS. A function of values. */
export function renderVerified(verified: VerifyRepoOutput): string[] {
  const { did, result, detail, here, there, missing, stale, extra, examples, command } = verified
  return [
    `${shown(did)}: ${results[result] ?? shown(result)}${detail === undefined ? '' : `: ${shown(detail)}`}`,
    `  revision ${shown(here?.rev)} here, ${shown(there?.rev)} there; ${amount(missing)} records missing, ${amount(stale)} of another version, ${amount(extra)} too many`,
    ...examples.map((uri) => `  ${shown(uri)}`),
    ...(command === undefined ? [] : [`  > ${shown(command)}`]),
  ]
}
