import { redisTest } from '@millrace/testing'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { compareRows } from './compare-databases.ts'
import { readOptions, type Options } from './options.ts'
import { isSame, renderComparison } from './render.ts'
import { runSecondSink } from './run-second-sink.ts'
import type { Report } from './second-sink.ts'

const nothingIsLost = {
  steps: [
    { figures: { repos: 8 } },
    { figures: { waitingForSecond: expect.toSatisfy((count: number) => count >= 30) } },
    { figures: { repos: 8, fetchedAgainForFirst: 0 } },
    { figures: { waitingForSecond: expect.toSatisfy((count: number) => count >= 30) } },
    { figures: { entriesLeft: 0 } },
  ],
  comparison: { differing: {}, missing: { first: 0, second: 0 } },
}

redisTest('nothing is lost to a second group, nor to the first', { timeout: 90_000 }, async ({ redisUrl, signal }) => {
  const printed: string[] = []
  const options: Options = { accounts: 8, redis: redisUrl, exitWhenIdle: true, json: true }
  const print = (text: string): void => void printed.push(text)
  expect(await runSecondSink(options, { say: () => undefined, print, signal })).toBe(0)
  const report = JSON.parse(printed.join('')) as Report
  expect(report).toMatchObject(nothingIsLost)
  expect(report.comparison.rows.second).toBeGreaterThan(300)
})

test('a row that only one has is found, and so is one that says something else', () => {
  const record = (uri: string, rev: string, json = '{}') => ({ uri, cid: 'c', did: 'd', json, rev, indexedAt: rev })
  const first = new Map([['record', [record('a', '1'), record('b', '1'), record('c', '1')]]])
  const second = new Map([['record', [record('a', '2'), record('b', '2', '{"x":1}')]]])
  const uris = ['a', 'b', 'c']
  const spoilt = compareRows({ first, second, uris })
  expect(spoilt).toEqual({
    rows: { first: 3, second: 2 },
    differing: { record: 2 },
    missing: { first: 0, second: 1 },
  })
  expect(isSame(spoilt)).toBe(false)
  expect(renderComparison(spoilt)).toMatch(/SOMETHING IS LOST.[^]*rows that differ +2 \(record 2\)/)
  const same = compareRows({ first, second: first, uris })
  expect([isSame(same), renderComparison(same).split('\n')[0]]).toEqual([true, 'Nothing is lost.'])
})

test('the tutorial shows what is here', async () => {
  const read = (file: string): Promise<string> => readFile(path.join(import.meta.dirname, file), 'utf8')
  const blocks = [...(await read('../../../docs/tutorial-second-database.md')).matchAll(/^```ts\n(.*?)^```$/gms)]
  expect(blocks).toHaveLength(2)
  const source = await read('second-sink.ts')
  for (const [, block] of blocks) expect(source).toContain(block)
})

test.each([
  { args: ['--accounts', 'x'], says: /--accounts is no whole number/ },
  { args: ['--redis', 'http://localhost'], says: /--redis is no redis URL/ },
  { args: ['--nothing'], says: /Unknown option '--nothing'/ },
])('$args is refused in words', ({ args, says }) => {
  expect(() => readOptions(args)).toThrow(says)
})
