import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { configDocs } from './config-command.ts'

test('docs/configuration.md is what `millrace config docs` prints', async () => {
  const file = path.resolve(import.meta.dirname, '../../../../docs/configuration.md')
  expect(await readFile(file, 'utf8')).toBe(configDocs())
})
