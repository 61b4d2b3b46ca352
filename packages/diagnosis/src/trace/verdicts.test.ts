import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../../../..')

/** Each verdict that a trace can come to, with its levels, as the code has them. */
async function verdictsOfCode(): Promise<Map<string, Set<string>>> {
  const source = await readFile(path.join(import.meta.dirname, 'judge-trace.ts'), 'utf8')
  const verdicts = new Map<string, Set<string>>()
  for (const [, code, level] of source.matchAll(/\bverdict\(\s*'([a-z-]+)',\s*'([a-z]+)'/g))
    verdicts.set(code!, (verdicts.get(code!) ?? new Set()).add(level!))
  return verdicts
}

test('the page about missing posts has every verdict with its levels, and those of the code declare no other', async () => {
  const page = await readFile(path.join(root, 'docs/why-is-my-post-missing.md'), 'utf8')
  const rows = page.matchAll(/^\| `([a-z-]+)` \| ([a-z, ]+) \| \S[^|]* \| \S[^|]* \|$/gm)
  const told = [...rows].map(([, code, levels]) => [code, new Set(levels!.split(', '))] as const)
  const code = await verdictsOfCode()
  expect(new Map(told)).toEqual(code)
  expect(told).toHaveLength(code.size)

  const types = await readFile(path.join(import.meta.dirname, 'trace.ts'), 'utf8')
  const declared = types.slice(types.indexOf('type TraceCode'), types.indexOf('/**\n * What it means'))
  expect([...declared.matchAll(/\| '([a-z-]+)'/g)].map(([, name]) => name).toSorted()).toEqual(
    [...code.keys()].toSorted(),
  )
})
