import type { GetRepairOutput, ListGapsOutput, ListRepairsRepair } from '@millrace/admin-api'
import type { RepairPreview } from '@millrace/repair'
import { oneLine } from '@millrace/runtime/command'
import { moment } from '../admin/words.ts'
import { alignColumns } from '../align-columns.ts'

const number = new Intl.NumberFormat('en')

/** What a repair found and what came of it, for people. A function of values. */
export function renderRepair({ repair, counts }: GetRepairOutput): string[] {
  const { current, moved, unknown, inactive, failed, waiting, sampled, diverged, error } = repair
  const lines = [
    `repair ${repair.id} of ${oneLine(repair.host)} (${repair.reason}${interval(repair)}): ${stateOf(repair)}`,
    `  ${repos(repair.listed)} listed: ${part(current, 'current')}, ${part(moved, 'moved')}, ${part(unknown, 'unknown')}, ${part(inactive, 'inactive')}`,
    `  ${repos(moved + unknown)} to fetch: ${part(waiting, 'waiting')}, ${part(failed, 'failed')}; ${part(sampled, 'compared once more')}, ${part(diverged, 'diverged')}`,
  ]
  if (error !== undefined) lines.push(`  tried again after: ${oneLine(error)}`)
  if (counts.length > 0) lines.push(...changed(counts).map((line) => `  ${line}`))
  else if (repair.state === 'done') lines.push('  nothing had changed.')
  if (failed > 0) lines.push('  Repos that failed stay marked, and are tried again.')
  return lines
}

function changed(counts: GetRepairOutput['counts']): string[] {
  return alignColumns([
    ['', 'created', 'updated', 'deleted', 'unchanged'],
    ...counts.map(({ collection, created, updated, deleted, unchanged }) => [
      oneLine(collection),
      ...[created, updated, deleted, unchanged].map((count) => number.format(count)),
    ]),
  ])
}

function interval({ since, until }: ListRepairsRepair): string {
  return `${since ? `, since ${moment(since)}` : ''}${until ? `, until ${moment(until)}` : ''}`
}

function stateOf({ state, isPaused, createdAt, finishedAt }: ListRepairsRepair): string {
  if (finishedAt !== undefined)
    return `${state} after ${((Date.parse(finishedAt) - Date.parse(createdAt)) / 1_000).toFixed(1)} s`
  return isPaused ? `${state}, paused` : state
}

function part(count: number, what: string): string {
  return `${number.format(count)} ${what}`
}

function repos(count: number): string {
  return count === 1 ? '1 repo' : `${number.format(count)} repos`
}

/** Several repairs at work, on one line. */
export function renderRepairProgress(repairs: readonly ListRepairsRepair[]): string {
  const open = repairs.filter(({ finishedAt }) => finishedAt === undefined)
  const of = open.length > 0 ? open : repairs
  return of
    .map(({ host, state, listed, waiting, isPaused }) => {
      const doing: Readonly<Record<string, string | undefined>> = {
        listing: `listed ${number.format(listed)}`,
        fetching: `${number.format(waiting)} of ${repos(listed)} to fetch`,
        verifying: 'comparing some once more',
        done: 'done',
        cancelled: 'cancelled',
      }
      return `${oneLine(host)}: ${doing[state] ?? state}${isPaused ? ' (paused)' : ''}`
    })
    .join('  ')
}

/** What a repair that only compares has found. */
export function renderComparison({ repair }: GetRepairOutput): string[] {
  const { host, listed, current, moved, unknown, inactive } = repair
  return [
    `${oneLine(host)} (repair ${repair.id}, ${stateOf(repair)}): ${repos(listed)} listed: ${part(current, 'current')}, ${part(moved, 'moved')}, ${part(unknown, 'unknown')}, ${part(inactive, 'inactive')}`,
    moved + unknown === 0
      ? '  There is nothing to fetch.'
      : `  ${repos(moved + unknown)} would be fetched. Without --dry-run they are.`,
  ]
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

export function renderRepairList(repairs: readonly ListRepairsRepair[]): string[] {
  if (repairs.length === 0) return ['There has been no repair.']
  return alignColumns(
    [
      ['host', 'reason', 'state', 'begun', 'id', 'listed', 'to fetch', 'waiting', 'failed', 'diverged'],
      ...repairs.map((repair) => [
        oneLine(repair.host),
        repair.reason,
        repair.isPaused ? `${repair.state}, paused` : repair.state,
        moment(repair.createdAt),
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
    since === undefined ? `before ${moment(openedAt)}` : moment(since),
    repair === undefined ? 'none yet' : `repair ${repair}, ${repairState ?? 'gone'}`,
  ])
  const lines = alignColumns([['host', 'stream', 'reason', 'since', 'closed by'], ...rows], 5)
  if (gaps.some(({ repair }) => repair === undefined))
    lines.push('Backfillers plan a repair for each by themselves; to begin one now: millrace repair')
  return lines
}
