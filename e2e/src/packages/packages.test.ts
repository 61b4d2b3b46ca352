import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { docsProblems } from './api/docs-problems.ts'
import { outdatedProblems } from './api/generated-files.ts'
import type { PublicName } from './api/public-name.ts'
import { renderReport } from './api/render-report.ts'
import { layerProblems } from './layer-problems.ts'
import { manifestProblems } from './manifest-problems.ts'
import { readmeExamples } from './stranger/readme-examples.ts'
import { inRepository, workspacePackages, type WorkspacePackage } from './workspace-packages.ts'

async function indexing(): Promise<WorkspacePackage> {
  const { published } = await workspacePackages()
  const found = published.find(({ name }) => name === 'indexing')
  if (!found) throw new Error('there is no indexing')
  return structuredClone(found)
}

const name = (change: Partial<PublicName>): PublicName => ({
  name: 'append',
  kind: 'function',
  bare: 'function append(): void;',
  commented: 'function append(): void;',
  doc: '',
  tags: [],
  source: 'src/append.ts',
  undocumentedMethods: [],
  ...change,
})

test('a manifest that lacks what npm or a bundler needs is told what', async () => {
  const subject = await indexing()
  subject.manifest.sideEffects = true
  delete subject.manifest.publishConfig
  subject.manifest.exports = { '.': { default: './dist/index.js', types: './dist/index.d.ts' } }
  subject.manifest.dependencies = { '@millrace/testing': 'workspace:*' }
  const { isPrivate } = await workspacePackages()
  const problems = await manifestProblems(subject, isPrivate)
  expect(problems).toEqual(
    expect.arrayContaining([
      '"sideEffects" is false',
      expect.stringContaining('"publishConfig.access" is "public"'),
      '"types" is the first condition of "."',
      '"default" is the last condition of "."',
      'it needs @millrace/testing, which is private',
    ]),
  )
})

test('a library that needs a store is told that it may not import one', async () => {
  const subject = await indexing()
  subject.manifest.dependencies = { ...subject.manifest.dependencies, '@millrace/redis-streams': 'workspace:*' }
  expect(await layerProblems(subject)).toEqual([expect.stringContaining('@millrace/redis-streams')])
  expect(await layerProblems({ ...subject, folder: 'packages/unheard-of' })).toEqual([
    expect.stringContaining('has no "no-restricted-imports"'),
  ])
})

test('an exported name without a docstring is told, and options are not', () => {
  const exported = [
    name({}),
    name({ name: 'read', tags: [{ name: 'returns', text: 'what is there' }] }),
    name({ name: 'AppendOptions', kind: 'interface' }),
    name({ name: 'Writer', kind: 'class', doc: 'Writes.', undocumentedMethods: ['close'] }),
  ]
  expect(docsProblems([{ entry: 'x', exported, passedOn: [], within: [] }])).toEqual([
    'append has no docstring (src/append.ts)',
    'Writer.close has no docstring (src/append.ts)',
  ])
})

test('a report shows what a change does to what users have', async () => {
  const subject = await indexing()
  const report = (bare: string): string =>
    renderReport(subject, [{ entry: '@millrace/indexing', exported: [name({ bare })], passedOn: [], within: [] }])
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-report-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.relative(inRepository(), path.join(folder, 'api.md'))
  await writeFile(path.join(folder, 'api.md'), report('function append(): void;'))
  expect(await outdatedProblems({ [file]: report('function append(): void;') })).toEqual([])
  const [problem] = await outdatedProblems({ [file]: report('function append(): Promise<void>;') })
  expect(problem?.split('\n').slice(1)).toEqual([
    '- export function append(): void;',
    '+ export function append(): Promise<void>;',
  ])
})

test('the first example of a README is taken, and files that it names', () => {
  const readme =
    '# x\n\n```ts\nfirst\n```\n\nThen\n\n```ts\nthese(two)\n```\n\n`main.ts`:\n\n```ts\nmain\n```\n\n```sh\nls\n```\n'
  expect(readmeExamples(readme)).toEqual({ 'example.ts': 'first\n', 'main.ts': 'main\n' })
})
