import type { RecountColumn } from '@millrace/admin-api'
import { oneLine } from '@millrace/runtime/command'
import { alignColumns } from '../align-columns.ts'

/** What several requests have come to. */
export interface RecountAnswer {
  dryRun: boolean
  columns: readonly RecountColumn[]
  /** Where to go on, of one that was stopped. */
  stoppedAt?: string
}

const number = new Intl.NumberFormat('en')

/** What was found and what became of it, for people. A function of values. */
export function renderReport({ dryRun, columns, stoppedAt }: RecountAnswer): string[] {
  const lines = [...table(columns), ...columns.flatMap(wrongCounts)]
  const wrong = columns.reduce((sum, column) => sum + column.wrong, 0)
  if (wrong === 0)
    lines.push(columns.some(({ checked }) => checked > 0) ? 'All counts are right.' : 'There is nothing to count.')
  else if (dryRun) lines.push(`${counts(wrong)} wrong. Without --dry-run they are corrected.`)
  else lines.push(`${counts(wrong)} wrong, and corrected.`)
  if (stoppedAt !== undefined) lines.push(`Stopped before the end. Go on with --after '${oneLine(stoppedAt)}'`)
  return lines
}

function counts(n: number): string {
  return n === 1 ? '1 count was' : `${number.format(n)} counts were`
}

function table(columns: readonly RecountColumn[]): string[] {
  const rows = [
    ['', 'checked', 'wrong', 'too low by', 'too high by', 'below zero'],
    ...columns.map(({ table, column, checked, wrong, tooLow, tooHigh, negative }) => [
      `${table}.${column}`,
      ...[checked, wrong, tooLow, tooHigh, negative].map((n) => number.format(n)),
    ]),
  ]
  return alignColumns(rows)
}

function wrongCounts({ table, column, wrong, samples }: RecountColumn): string[] {
  const lines = samples.map(
    // Subjects are text of the network.
    ({ subject, stored, counted }) =>
      `  ${table}.${column}  ${oneLine(subject)}  ${number.format(stored)} → ${number.format(counted)}`,
  )
  const more = wrong - samples.length
  return more > 0 ? [...lines, `  ${table}.${column}  and ${number.format(more)} more`] : lines
}

export function renderProgress(columns: readonly RecountColumn[], cursor: string | undefined): string {
  // Every subject is counted in each of its columns.
  const byTable = new Map(columns.map(({ table, checked }) => [table, checked]))
  const checked = byTable.values().reduce((sum, count) => sum + count, 0)
  const wrong = columns.reduce((sum, column) => sum + column.wrong, 0)
  return oneLine(`${number.format(checked)} checked, ${number.format(wrong)} wrong  ${cursor ?? ''}`).trimEnd()
}
