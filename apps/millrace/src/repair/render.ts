import type { ListGapsOutput } from '@millrace/admin-api'
import type { Repair, RepairCount, RepairPreview } from '@millrace/repair'
import { oneLine } from '@millrace/runtime'
import { alignColumns } from '../align-columns.ts'

const number = new Intl.NumberFormat('en')

/** A repair, with what it changed. */
export interface RepairReport {
  repair: Repair
  counts: readonly RepairCount[]
}

/** What a repair found and what came of it, for people. A function of values. */
export function renderRepair({ repair, counts }: RepairReport): string[] {
  const { current, moved, unknown, inactive, failed, waiting, sampled, diverged, error } = repair
  const lines = [
    `repair ${repair.id} of ${oneLine(repair.host)} (${repair.reason}${interval(repair)}): ${stateOf(repair)}`,
    `  ${repos(repair.listed)} listed: ${part(current, 'current')}, ${part(moved, 'moved')}, ${part(unknown, 'unknown')}, ${part(inactive, 'inactive')}`,
    `  ${repos(moved + unknown)} to fetch: ${part(waiting, 'waiting')}, ${part(failed, 'failed')}; ${part(sampled, 'compared once more')}, ${part(diverged, 'diverged')}`,
  ]
  if (error !== null) lines.push(`  tried again after: ${oneLine(error)}`)
  if (counts.length > 0) lines.push(...changed(counts).map((line) => `  ${line}`))
  else if (repair.state === 'done') lines.push('  nothing had changed.')
  if (failed > 0) lines.push('  Repos that failed stay marked, and are tried again.')
  return lines
}

function changed(counts: readonly RepairCount[]): string[] {
  return alignColumns([
    ['', 'created', 'updated', 'deleted', 'unchanged'],
    ...counts.map(({ collection, created, updated, deleted, unchanged }) => [
      oneLine(collection),
      ...[created, updated, deleted, unchanged].map((count) => number.format(count)),
    ]),
  ])
}

function interval({ since, until }: Repair): string {
  return `${since ? `, since ${time(since)}` : ''}${until ? `, until ${time(until)}` : ''}`
}

function stateOf({ state, paused, createdAt, finishedAt }: Repair): string {
  if (finishedAt) return `${state} after ${((finishedAt.getTime() - createdAt.getTime()) / 1_000).toFixed(1)} s`
  return paused ? `${state}, paused` : state
}

function time(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}

function part(count: number, what: string): string {
  return `${number.format(count)} ${what}`
}

function repos(count: number): string {
  return count === 1 ? '1 repo' : `${number.format(count)} repos`
}

/** Several repairs at work, on one line. */
export function renderRepairProgress(repairs: readonly Repair[]): string {
  const open = repairs.filter(({ finishedAt }) => finishedAt === null)
  const of = open.length > 0 ? open : repairs
  return of
    .map(({ host, state, listed, waiting, paused }) => {
      const doing = {
        listing: `listed ${number.format(listed)}`,
        fetching: `${number.format(waiting)} of ${repos(listed)} to fetch`,
        verifying: 'comparing some once more',
        done: 'done',
        cancelled: 'cancelled',
      }[state]
      return `${oneLine(host)}: ${doing}${paused ? ' (paused)' : ''}`
    })
    .join('  ')
}

export function renderPreview(host: string, preview: RepairPreview): string[] {
  const { listed, counts, fetch, examples, statusDiffers } = preview
  const lines = [
    `${oneLine(host)}: ${repos(listed)} listed: ${part(counts.current + counts.unchanged, 'current')}, ${part(counts.moved, 'moved')}, ${part(counts.unknown, 'unknown')}, ${part(counts.inactive, 'inactive')}`,
    fetch === 0 ? '  There is nothing to fetch.' : `  ${repos(fetch)} would be fetched. Without --dry-run they are.`,
    ...examples.map((did) => `    ${oneLine(did)}`),
  ]
  if (fetch > examples.length) lines.push(`    and ${number.format(fetch - examples.length)} more`)
  if (statusDiffers > 0) lines.push(`  The status of ${number.format(statusDiffers)} accounts is another one there.`)
  return lines
}

export function renderRepairList(repairs: readonly Repair[]): string[] {
  if (repairs.length === 0) return ['There has been no repair.']
  return alignColumns(
    [
      ['host', 'reason', 'state', 'begun', 'id', 'listed', 'to fetch', 'waiting', 'failed', 'diverged'],
      ...repairs.map((repair) => [
        oneLine(repair.host),
        repair.reason,
        repair.paused ? `${repair.state}, paused` : repair.state,
        time(repair.createdAt),
        String(repair.id),
        ...[repair.listed, repair.moved + repair.unknown, repair.waiting, repair.failed, repair.diverged].map((count) =>
          number.format(count),
        ),
      ]),
    ],
    4,
  )
}

export function renderGaps(gaps: ListGapsOutput['gaps']): string[] {
  if (gaps.length === 0) return ['No gap is open.']
  const rows = gaps.map(({ host, stream, reason, openedAt, since, repair, repairState }) => [
    host === '' ? '(any)' : oneLine(host),
    oneLine(stream),
    oneLine(reason),
    since === undefined ? `before ${time(new Date(openedAt))}` : time(new Date(since)),
    repair === undefined ? 'none yet' : `repair ${repair}, ${repairState ?? 'gone'}`,
  ])
  const lines = alignColumns([['host', 'stream', 'reason', 'since', 'closed by'], ...rows], 5)
  if (gaps.some(({ repair }) => repair === undefined))
    lines.push('Backfillers plan a repair for each by themselves; to begin one now: millrace repair')
  return lines
}
