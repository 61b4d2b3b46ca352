import { expect, test } from 'vitest'
import { ProgressLine } from './progress-line.ts'

/** Shows progress at each of these moments, in milliseconds. */
function shown(output: { isTTY: boolean; columns?: number }, moments: readonly number[]): string[] {
  const written: string[] = []
  let now = 0
  using line = new ProgressLine({ output: { ...output, write: (text) => written.push(text) }, now: () => now })
  for (const moment of moments) {
    now = moment
    line.show(`${moment} checked, 0 wrong`)
  }
  line[Symbol.dispose]()
  return written
}

test('where there is no terminal it is a line now and then', () => {
  expect(shown({ isTTY: false }, [500, 9_999, 10_001, 12_000, 20_002])).toEqual([
    'millrace: 10001 checked, 0 wrong\n',
    'millrace: 20002 checked, 0 wrong\n',
  ])
})

test('a terminal has one line, no longer than it is wide, which goes at the end', () => {
  expect(shown({ isTTY: true, columns: 20 }, [50, 100, 150, 200]).slice(0, 3)).toEqual([
    '\r\u001b[2K100 checked, 0 wron',
    '\r\u001b[2K200 checked, 0 wron',
    '\r\u001b[2K',
  ])
})
