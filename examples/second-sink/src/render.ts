import type { DatabaseComparison } from './compare-databases.ts'
import type { Step } from './second-sink.ts'

/** A step for people, with its number. */
export function renderStep({ title, figures }: Step, number: number): string {
  const list = Object.entries(figures).map(([name, count]) => `     ${wordsOf(name).padEnd(26)}${count}`)
  return [`${number}. ${title}`, ...list, ''].join('\n')
}

export function renderComparison(comparison: DatabaseComparison): string {
  const { rows, differing, missing } = comparison
  const tables = Object.entries(differing).map(([table, count]) => ` (${table} ${count})`)
  return [
    `${isSame(comparison) ? 'Nothing is lost' : 'SOMETHING IS LOST'}.`,
    `     ${'rows of the first'.padEnd(26)}${rows.first}`,
    `     ${'rows of the second'.padEnd(26)}${rows.second}`,
    `     ${'rows that differ'.padEnd(26)}${sum(differing)}${tables.join('')}`,
    `     ${'records that are missing'.padEnd(26)}${missing.first} in the first, ${missing.second} in the second`,
    '',
  ].join('\n')
}

/** Whether both databases hold the same rows, and all records of the network. */
export function isSame({ differing, missing }: DatabaseComparison): boolean {
  return sum(differing) + missing.first + missing.second === 0
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

/** `waitingForFirst` is `waiting for first`. */
const wordsOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
