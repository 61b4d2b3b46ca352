import type { GetBackfillOutput } from '@millrace/admin-api'
import { shown } from '../admin/words.ts'

const number = new Intl.NumberFormat('en')

const states: Readonly<Record<string, string | undefined>> = {
  running: 'going on',
  paused: 'paused',
  idle: 'nothing waits',
  absent: 'nobody works on it',
}

export function renderBackfill(status: GetBackfillOutput): string[] {
  const { state, backfillers, perMinute, listed, running, waiting, retrying, failed, etaSeconds, lists } = status
  const { asked, live, repair, backfill } = waiting
  const rate = perMinute > 0 ? `, ${(perMinute / 60).toFixed(1)} repos a second` : ''
  const lines = [
    `backfill: ${states[state] ?? state}, ${backfillers === 1 ? '1 backfiller' : `${backfillers} backfillers`}${rate}`,
    `  ${listed === undefined ? 'how many are listed and wait, no backfiller tells' : `${number.format(listed)} listed`}, ${number.format(backfill)} added, ${number.format(asked)} asked for, ${number.format(live)} lost by a firehose, ${number.format(repair)} for repairs; ${number.format(running)} at work`,
    `  ${number.format(retrying)} are tried again, ${number.format(failed)} were given up`,
  ]
  const listing = lists.filter(({ isDone }) => !isDone).map(({ host }) => shown(host))
  if (listing.length > 0) lines.push(`  ${listing.join(', ')}: still being listed`)
  if (etaSeconds !== undefined)
    lines.push(
      `  about ${span(etaSeconds)} until nothing waits${listing.length > 0 ? ', without what is still to be listed' : ''}`,
    )
  if (failed > 0) lines.push('  millrace dlq tells why; millrace backfill retry-failed fetches them once more.')
  return lines
}

export function span(seconds: number): string {
  if (seconds < 90) return `${seconds} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3_600) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}
