import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { startPostgres } from '@millrace/local-services'
import { ROOT } from '../../infra/check.ts'
import { OLDEST_NODE } from '../manifest-problems.ts'
import type { Tarball } from '../pack.ts'
import { readReadme } from '../readme-problems.ts'
import { isLibrary, readManifest, type WorkspacePackage } from '../workspace-packages.ts'
import { readmeExamples } from './readme-examples.ts'
import { forAtprotoApi, StrangerProject } from './stranger-project.ts'

const program = (name: string): Promise<string> => readFile(path.join(import.meta.dirname, name), 'utf8')

/** With the versions that the workspace has. */
async function tools(...names: readonly string[]): Promise<Record<string, string>> {
  const { devDependencies = {} } = await readManifest(ROOT)
  return Object.fromEntries(names.map((name) => [name, devDependencies[name] ?? '*']))
}

/** What an indexer of an own lexicon asks for, in the form that needs the least. */
const ownLexicon = ['database', 'indexing', 'local-services', 'sqlite-streams', 'stream-protocol']
const notNeeded =
  /^(redis|@redis\/.*|@atproto\/(api|bsky|repo)|@millrace\/(redis-streams|indexing-plugins|stores|runtime))$/

/** Installs what an indexer of an own lexicon needs, and nothing else; compiles and runs one. */
export async function ownLexiconProblems(folder: string, tarballs: readonly Tarball[]): Promise<string[]> {
  const project = new StrangerProject({
    folder,
    tarballs,
    packages: ownLexicon.map((name) => `@millrace/${name}`),
    devDependencies: await tools('typescript', '@types/node'),
    files: { 'own-lexicon.ts': await program('own-lexicon.ts') },
  })
  await project.install()
  await project.compile()
  const said = await project.run('own-lexicon.ts')
  const superfluous = (await project.installed()).filter((name) => notNeeded.test(name))
  return [
    ...(said === '2 notes indexed\n' ? [] : [`it printed ${said}`]),
    ...superfluous.map((name) => `${name} was installed, and is not needed`),
  ]
}

/** As npm has it. */
const oldestNode = { name: `node-${process.platform}-${process.arch}`, version: `${OLDEST_NODE}.0` }

/** READMEs whose example runs by itself. Others need the network, a service, or do not end. */
const runnable = ['console', 'dev-network', 'diagnosis', 'failpoints', 'sqlite-streams', 'stream-protocol']

/**
 * Installs everything; compiles all examples and imports all entries; runs examples,
 * the test that `@millrace/indexing` shows, and what indexes a network; imports and indexes with the oldest Node, too.
 */
export async function everythingProblems(folder: string, tarballs: readonly Tarball[]): Promise<string[]> {
  const packages = tarballs.map(({ subject }) => subject)
  const entries = packages.flatMap(entriesOf)
  const imports = entries.map((entry, at) => `import * as entry${at} from '${entry}'\n`).join('')
  const files: Record<string, string> = {
    'app-bsky.ts': await program('app-bsky.ts'),
    'every-entry.ts': `${imports}export const all = [${entries.map((_, at) => `entry${at}`).join(', ')}]\n`,
    // What tests import runs in tests alone.
    'import.ts': `${entries
      .filter((entry) => !entry.endsWith('/testing'))
      .map((entry) => `await import('${entry}')\n`)
      .join('')}console.log('imported')\nexport {}\n`,
  }
  for (const subject of packages.filter(isLibrary)) {
    for (const [name, code] of Object.entries(readmeExamples(await readReadme(subject))))
      files[`readmes/${subject.name}/${name}`] = code
  }
  const project = new StrangerProject({
    folder,
    tarballs,
    packages: packages.map(({ manifest }) => manifest.name),
    devDependencies: { ...(await tools('typescript', '@types/node', 'vitest')), [oldestNode.name]: oldestNode.version },
    compilerOptions: forAtprotoApi,
    files,
  })
  await project.install()
  await project.compile()
  const imported = await project.run('import.ts')
  for (const name of runnable) await project.run(`readmes/${name}/example.ts`)
  await using postgres = await startPostgres()
  await project.test('readmes/indexing', postgres.url)
  const said = await project.run('app-bsky.ts')
  const node = `node_modules/${oldestNode.name}/bin/node`
  await project.run('import.ts', { node })
  const args = ['up', '--exit-when-idle', '--json', '--accounts', '8', '--events', '20', '--admin-port', '0']
  const { idle } = JSON.parse(await project.run('node_modules/@millrace/millrace/dist/main.js', { node, args }))
  return [
    ...(idle === true ? [] : [`on Node ${oldestNode.version} the pipeline does not come to its end`]),
    ...(imported === 'imported\n' ? [] : [`importing printed ${imported}`]),
    ...(/^\d+ posts of \d+ accounts indexed\n$/.test(said) ? [] : [`it printed ${said}`]),
  ]
}

/** What can be imported of a package, by the names that are imported. */
const entriesOf = ({ manifest }: WorkspacePackage): string[] =>
  Object.entries(manifest.exports ?? {})
    .filter(([, target]) => typeof target !== 'string')
    .map(([entry]) => path.posix.join(manifest.name, entry))
