import type { RecountedColumn, RecountProgress, RecountReport } from '@millrace/indexing'
import { oneLine } from '@millrace/runtime'
import { alignColumns } from '../align-columns.ts'
import { positionText } from './options.ts'

const number = new Intl.NumberFormat('en')

/** What was found and what became of it, for people. A function of values. */
export function renderReport({ columns, stoppedAt }: RecountReport, dryRun: boolean): string[] {
  const lines = [...table(columns), ...columns.flatMap(wrongCounts)]
  const wrong = columns.reduce((sum, column) => sum + column.wrong, 0)
  if (wrong === 0)
    lines.push(columns.some(({ checked }) => checked > 0) ? 'All counts are right.' : 'There is nothing to count.')
  else if (dryRun) lines.push(`${counts(wrong)} wrong. Without --dry-run they are corrected.`)
  else lines.push(`${counts(wrong)} wrong, and corrected.`)
  if (stoppedAt) lines.push(`Stopped before the end. Go on with --after '${oneLine(positionText(stoppedAt))}'`)
  return lines
}

function counts(n: number): string {
  return n === 1 ? '1 count was' : `${number.format(n)} counts were`
}

function table(columns: readonly RecountedColumn[]): string[] {
  const rows = [
    ['', 'checked', 'wrong', 'too low by', 'too high by', 'below zero'],
    ...columns.map(({ table, column, checked, wrong, tooLow, tooHigh, negative }) => [
      `${table}.${column}`,
      ...[checked, wrong, tooLow, tooHigh, negative].map((n) => number.format(n)),
    ]),
  ]
  return alignColumns(rows)
}

function wrongCounts({ table, column, wrong, samples }: RecountedColumn): string[] {
  const lines = samples.map(
    // Subjects are text of the network.
    ({ subject, stored, counted }) =>
      `  ${table}.${column}  ${oneLine(subject)}  ${number.format(stored)} → ${number.format(counted)}`,
  )
  const more = wrong - samples.length
  return more > 0 ? [...lines, `  ${table}.${column}  and ${number.format(more)} more`] : lines
}

export function renderProgress({ position, checked, wrong }: RecountProgress): string {
  return oneLine(`${number.format(checked)} checked, ${number.format(wrong)} wrong  ${positionText(position)}`)
}
