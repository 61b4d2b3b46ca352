import { formatColumns } from './columns.ts'

/** One number of a benchmark or a comparison. */
export interface Result {
  name: string
  value: number
  unit: string
  /** What the value has to be; null for a number without a goal. */
  goal: string | null
  pass: boolean
}

/** A number to know, not to judge. */
export function figure(name: string, value: number, unit: string): Result {
  return { name, value: round(value), unit, goal: null, pass: true }
}

export function atLeast(goal: number, name: string, value: number, unit: string): Result {
  return { name, value: round(value), unit, goal: `>= ${round(goal)}`, pass: value >= goal }
}

export function atMost(goal: number, name: string, value: number, unit: string): Result {
  return { name, value: round(value), unit, goal: `<= ${round(goal)}`, pass: value <= goal }
}

export function exactly(goal: number, name: string, value: number, unit: string): Result {
  return { name, value: round(value), unit, goal: `= ${goal}`, pass: value === goal }
}

/** Three digits are what a measurement on a busy machine is worth. */
function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

export function formatTable(results: readonly Result[]): string {
  const header = ['', 'value', 'unit', 'goal', '']
  const rows = results.map(({ name, value, unit, goal, pass }) => [
    name,
    value.toLocaleString('en'),
    unit,
    goal ?? '',
    goal === null ? '' : pass ? 'met' : 'MISSED',
  ])
  return formatColumns([header, ...rows], [1])
}
