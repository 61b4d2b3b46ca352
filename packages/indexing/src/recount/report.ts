import type { CountTable } from '../count-tables.ts'
import type { Looked } from './look.ts'

/** A count that was not what counting gives. */
export interface WrongCount {
  subject: string
  stored: number
  counted: number
}

/** What was found in one column of counts. */
export interface RecountedColumn {
  table: string
  column: string
  /** Subjects that were looked at. */
  checked: number
  /** Those whose count was wrong; all of them are right now, unless it was a dry run. */
  wrong: number
  /** What the counts were too low by, and too high by, altogether. */
  tooLow: number
  tooHigh: number
  /** Counts below zero: rows went that had never been counted. */
  negative: number
  /** The first wrong ones. */
  samples: WrongCount[]
}

export function emptyColumns({ table, columns }: CountTable): RecountedColumn[] {
  return columns.map(({ column }) => ({
    table,
    column,
    checked: 0,
    wrong: 0,
    tooLow: 0,
    tooHigh: 0,
    negative: 0,
    samples: [],
  }))
}

/**
 * Adds what was found of some subjects.
 * @returns how many counts of theirs were wrong.
 */
export function tally(columns: readonly RecountedColumn[], looked: readonly Looked[], maxSamples: number): number {
  let wrong = 0
  for (const [index, report] of columns.entries()) {
    report.checked += looked.length
    for (const { subject, stored: allStored, counted: allCounted } of looked) {
      const stored = allStored[index]!
      const counted = allCounted[index]!
      if (stored < 0) report.negative += 1
      if (stored === counted) continue
      wrong += 1
      report.wrong += 1
      if (stored < counted) report.tooLow += counted - stored
      else report.tooHigh += stored - counted
      if (report.samples.length < maxSamples) report.samples.push({ subject, stored, counted })
    }
  }
  return wrong
}
