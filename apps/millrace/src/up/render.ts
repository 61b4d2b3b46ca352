import { streams } from '@millrace/stream-protocol'
import type { Snapshot } from './snapshot.ts'

/** What stays the same while it runs. */
export interface Heading {
  network: string
  stores: string
  /** Places to look at, by name. */
  urls: Readonly<Record<string, string>>
  startedAt: number
}

const number = new Intl.NumberFormat('en')

/** Events per second of two moments. */
function perSecond(now: number, before: number, seconds: number): string {
  return seconds <= 0 ? '-' : `${number.format(Math.round((now - before) / seconds))}/s`
}

/** `[████████░░░░░░░░] 12/24`: done in full, the rest empty. */
function bar(done: number, total: number, width = 24): string {
  const full = total === 0 ? 0 : Math.floor((Math.min(done, total) / total) * width)
  return `[${'█'.repeat(full)}${'░'.repeat(width - full)}] ${number.format(done)}/${number.format(total)}`
}

function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

const trouble = (reason: string | undefined): string => (reason === undefined ? '' : ` (${reason})`)
const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
const entriesWaiting = ({ waiting }: Snapshot): number =>
  (waiting[streams.firehoseLive] ?? 0) + (waiting[streams.firehoseBackfill] ?? 0)

/** The screen of a terminal, line by line. A function of values. */
export function renderScreen(heading: Heading, now: Snapshot, before: Snapshot, width: number): string[] {
  const seconds = (now.at - before.at) / 1000
  const { firehose, listing, backfill } = now
  const rows: [string, string][] = [
    [
      'firehose',
      `${firehose.state}${trouble(firehose.reason)}  seq ${firehose.seq ?? '-'}${firehose.head === undefined ? '' : ` of ${firehose.head}`}  ${number.format(firehose.events)} events  ${perSecond(firehose.events, before.firehose.events, seconds)}`,
    ],
    ['list', `${listing.state}${trouble(listing.reason)}  ${number.format(listing.repos)} repos`],
    [
      'backfill',
      `${bar(backfill.done + backfill.failed, backfill.total)} repos  ${number.format(backfill.records)} records  ${perSecond(backfill.records, before.backfill.records, seconds)}${backfill.retrying > 0 ? `  ${backfill.retrying} waiting to be tried again` : ''}${backfill.failed > 0 ? `  ${backfill.failed} given up` : ''}`,
    ],
    [
      'index',
      `${number.format(now.indexed)} events  ${perSecond(now.indexed, before.indexed, seconds)}  ${number.format(now.labels)} labels`,
    ],
    [
      'lag',
      entriesWaiting(now) === 0
        ? 'none'
        : `${number.format(entriesWaiting(now))} entries, the oldest ${now.behindSeconds.toFixed(1)} s`,
    ],
    [
      'handles',
      `${now.handlesWaiting === 0 ? 'all looked up' : `${number.format(now.handlesWaiting)} to look up`}${now.accountsWaiting === 0 ? '' : `  ${number.format(now.accountsWaiting)} accounts to ask about`}`,
    ],
    [
      'dead letters',
      `${sum(now.deadLetters)}${Object.entries(now.deadLetters)
        .map(([reason, count]) => `  ${reason} ${count}`)
        .join('')}  dirty ${now.dirty}  gaps ${now.gaps}`,
    ],
    ...Object.entries(heading.urls),
  ]
  const lines = [
    `Millrace  ${heading.network}  ${heading.stores}  ${clock(now.at - heading.startedAt)}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(13)} ${text}`),
    '  Ctrl-C stops; what is indexed stays',
  ]
  return lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line))
}

/** One plain line, for logs and pipes. A function of values. */
export function renderLine(heading: Heading, now: Snapshot, before: Snapshot): string {
  const seconds = (now.at - before.at) / 1000
  const { firehose, listing, backfill } = now
  return [
    clock(now.at - heading.startedAt),
    `firehose ${firehose.state}${trouble(firehose.reason)} ${number.format(firehose.events)} events`,
    `listed ${number.format(listing.repos)}${trouble(listing.reason)}`,
    `backfilled ${backfill.done}/${backfill.total}${backfill.failed > 0 ? ` (${backfill.failed} given up)` : ''}${backfill.retrying > 0 ? ` (${backfill.retrying} tried again)` : ''}`,
    `indexed ${number.format(now.indexed)} at ${perSecond(now.indexed, before.indexed, seconds)}`,
    `waiting ${number.format(entriesWaiting(now))}`,
    `dead letters ${sum(now.deadLetters)}`,
  ].join('  ')
}
