import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const folder = path.join(import.meta.dirname, 'own-lexicon')
const readme = readFileSync(path.join(import.meta.dirname, '../README.md'), 'utf8')

/** A test that vitest found by its name would run without a database. */
const fileOf = (name: string): string => name.replace(/\.test\.ts$/, '.suite.ts')

test('the README shows the files of the example, which are compiled and run, and no other code', () => {
  const blocks = [...readme.matchAll(/`([\w.-]+\.ts)`:\n\n```ts\n(.*?)```\n/gs)]
  expect(blocks).toHaveLength([...readme.matchAll(/^```ts$/gm)].length)
  const shown = Object.fromEntries(blocks.map(([, name, code]) => [fileOf(name!), code]))
  const kept = readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')])
  expect(shown).toEqual(Object.fromEntries(kept))
})
