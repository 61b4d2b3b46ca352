import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { guards, type Guard } from '@millrace/failpoints'
import { expect, test } from 'vitest'
import { catchers } from './catchers.ts'

test('docs/invariants.md has every guard, with what it is for and the test that notices its absence', async () => {
  const docs = await readFile(path.resolve(import.meta.dirname, '../../../docs/invariants.md'), 'utf8')
  const rows = (Object.keys(guards) as Guard[]).map((guard) => {
    const { file, test } = catchers[guard]
    return `| \`${guard}\` | ${guards[guard]} | [${test}](../${file}) |`
  })
  expect(docs.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
})
