import type { DeadLetterGroup, KeptLetter, RetryReport, WholeLetter } from '@millrace/database'
import { oneLine } from '@millrace/runtime'

const number = new Intl.NumberFormat('en')
/** Letters that a report names one by one. */
const MOST_NAMED = 10

/** Like letters, each kind with an example. All of what they say may be text of the network. */
export function renderGroups(groups: readonly DeadLetterGroup[]): string[] {
  if (groups.length === 0) return ['There are no dead letters to decide about.']
  return groups.flatMap(({ stream, reason, fingerprint, count, firstAt, lastAt, example }) => [
    `${number.format(count).padStart(8)}  ${oneLine(stream)}  ${oneLine(reason)}  ${fingerprint}  ${period(firstAt, lastAt)}`,
    `          e.g. ${example.id}  ${[example.uri ?? example.did, example.error].flatMap((text) => (text ? [oneLine(text, 200)] : [])).join('  ')}`,
  ])
}

export function renderList(letters: readonly KeptLetter[], limit: number): string[] {
  if (letters.length === 0) return ['No such letters.']
  const lines = letters.map(
    ({ id, state, stream, reason, fingerprint, lastAt, did, uri, error }) =>
      `${id}  ${state}  ${time(lastAt)}  ${oneLine(stream)}  ${oneLine(reason)}  ${fingerprint}  ${oneLine(uri ?? did ?? '-', 200)}  ${oneLine(error, 200)}`,
  )
  return letters.length < limit ? lines : [...lines, `The newest ${number.format(limit)}; --limit shows more.`]
}

export function renderLetter(letter: WholeLetter): string[] {
  const rows: [string, string | null][] = [
    ['letter', String(letter.id)],
    ['state', letter.state],
    ['stream', letter.stream],
    ['entry', letter.entryId],
    ['reason', letter.reason],
    ['error', letter.error],
    ['fingerprint', letter.fingerprint],
    ['account', letter.did],
    ['uri', letter.uri],
    ['host', letter.host],
    ['given up', `${number.format(letter.attempts)}×, ${period(letter.firstAt, letter.lastAt)}`],
    ['put back', `${number.format(letter.retries)}×`],
    ['payload', letter.isCut ? `${letter.payload} (it was longer)` : letter.payload],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(11)}  ${oneLine(value, 100_000)}`]))
}

export function renderRetry({ retried, refused }: RetryReport, dryRun: boolean): string[] {
  return [
    dryRun
      ? `${letters(retried)} can be put back. Without --dry-run they are.`
      : `${letters(retried)} put back: indexers take them within seconds.`,
    ...(refused.length > 0 ? [`${letters(refused.length)} cannot be replayed as they are:`] : []),
    ...refused.slice(0, MOST_NAMED).map(({ id, why }) => `  ${id}  ${oneLine(why, 200)}`),
    ...(refused.length > MOST_NAMED ? [`  and ${number.format(refused.length - MOST_NAMED)} more`] : []),
  ]
}

export function renderDiscard(count: number, yes: boolean): string {
  return yes
    ? `${letters(count)} discarded. They stay for the record.`
    : `${letters(count)} would be discarded. With --yes they are.`
}

function letters(count: number): string {
  return count === 1 ? '1 letter' : `${number.format(count)} letters`
}

function period(from: Date, to: Date): string {
  return from.getTime() === to.getTime() ? time(from) : `${time(from)} to ${time(to)}`
}

function time(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z')
}
