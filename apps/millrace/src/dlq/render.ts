import type {
  GetDeadLetterGroupsGroup,
  GetDeadLetterOutput,
  ListDeadLettersOutput,
  RetryDeadLettersOutput,
} from '@millrace/admin-api'
import { oneLine } from '@millrace/runtime/command'
import { moment } from '../admin/words.ts'

const number = new Intl.NumberFormat('en')
/** Letters that a report names one by one. */
const MOST_NAMED = 10

/** Like letters, each kind with an example. All of what they say may be text of the network. */
export function renderGroups(groups: readonly GetDeadLetterGroupsGroup[]): string[] {
  if (groups.length === 0) return ['There are no dead letters to decide about.']
  return groups.flatMap(({ stream, reason, fingerprint, count, firstAt, lastAt, example, uri, did, error }) => [
    `${number.format(count).padStart(8)}  ${oneLine(stream)}  ${oneLine(reason)}  ${fingerprint}  ${period(firstAt, lastAt)}`,
    `          e.g. ${example}  ${[uri ?? did, error].flatMap((text) => (text ? [oneLine(text, 200)] : [])).join('  ')}`,
  ])
}

export function renderList({ letters, cursor }: ListDeadLettersOutput): string[] {
  if (letters.length === 0) return ['No such letters.']
  const lines = letters.map(
    ({ id, state, stream, reason, fingerprint, lastAt, did, uri, error }) =>
      `${id}  ${state}  ${moment(lastAt)}  ${oneLine(stream)}  ${oneLine(reason)}  ${fingerprint}  ${oneLine(uri ?? did ?? '-', 200)}  ${oneLine(error, 200)}`,
  )
  return cursor === undefined ? lines : [...lines, `There are more: --after ${cursor}`]
}

export function renderLetter({ letter, payload, isCut }: GetDeadLetterOutput): string[] {
  const rows: [string, string | undefined][] = [
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
    ['payload', isCut ? `${payload} (it was longer)` : payload],
  ]
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(11)}  ${oneLine(value, 100_000)}`],
  )
}

export function renderRetry({ change, refused }: RetryDeadLettersOutput): string[] {
  return [
    change.dryRun
      ? `${letters(change.changed)} can be put back. Without --dry-run they are.`
      : `${letters(change.changed)} put back: indexers take them within seconds.`,
    ...(refused.length > 0 ? [`${letters(refused.length)} cannot be replayed as they are:`] : []),
    ...refused.slice(0, MOST_NAMED).map(({ id, why }) => `  ${id}  ${oneLine(why, 200)}`),
    ...(refused.length > MOST_NAMED ? [`  and ${number.format(refused.length - MOST_NAMED)} more`] : []),
  ]
}

function letters(count: number): string {
  return count === 1 ? '1 letter' : `${number.format(count)} letters`
}

function period(from: string, to: string): string {
  return from === to ? moment(from) : `${moment(from)} to ${moment(to)}`
}
