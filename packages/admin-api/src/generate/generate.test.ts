import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readAdminLexicons } from '../lexicons.ts'
import type { Lexicon } from './definition.ts'
import { docsOfLexicons } from './docs-of-lexicons.ts'
import { typesOfLexicons } from './types-of-lexicons.ts'

const lexicons = readAdminLexicons() as Lexicon[]
const read = (file: string) => readFile(path.resolve(import.meta.dirname, file), 'utf8')

test('the types are those of the lexicons: `pnpm generate` makes them', async () => {
  expect(await read('../generated.ts')).toBe(typesOfLexicons(lexicons))
})

test('docs/admin-api.md is made of the lexicons: `pnpm generate` makes it', async () => {
  expect(await read('../../../../docs/admin-api.md')).toBe(docsOfLexicons(lexicons))
})

test('every change says who wants it why, can be tried without, and tells what it came to', () => {
  for (const { id, defs } of lexicons) {
    const { type, input, output } = defs['main'] ?? { type: 'none' }
    if (type !== 'procedure') continue
    expect(Object.keys(input!.schema.properties!), id).toEqual(expect.arrayContaining(['reason', 'dryRun']))
    expect(output!.schema.properties!['change']?.ref, id).toBe('dev.millrace.admin.defs#change')
  }
})
