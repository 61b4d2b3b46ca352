/** One number of a benchmark. */
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
  return { name, value: round(value), unit, goal: `>= ${goal}`, pass: value >= goal }
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
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: string[]) =>
    row
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [header, ...rows].map(line).join('\n')
}
