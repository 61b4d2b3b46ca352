import { readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { inRepository, installedWith, type ExportTarget, type WorkspacePackage } from './workspace-packages.ts'

/** The oldest Node that every package promises to run on. */
export const OLDEST_NODE = '22.18'
const NODE = `>=${OLDEST_NODE}`
const REPOSITORY = 'git+https://github.com/millrace/millrace.git'

/** What every package leaves out of its tarball: what only its own tests import. */
const UNPUBLISHED = ['!dist/.tsbuildinfo', '!**/*.test.*', '!**/*.testing.*']

/** @returns which rules for manifests do not hold. */
export async function manifestProblems(
  { folder, manifest }: WorkspacePackage,
  isPrivate: ReadonlySet<string>,
): Promise<string[]> {
  const { description, license, type, sideEffects, repository, publishConfig, engines, files, bin, exports } = manifest
  const problems: string[] = []
  const must = (holds: boolean, rule: string): void => void (holds || problems.push(rule))

  must(type === 'module', '"type" is "module"')
  must(license === 'MIT', '"license" is "MIT"')
  must(sideEffects === false, '"sideEffects" is false')
  must(description?.endsWith('.') === false, '"description" is one phrase, without a full stop')
  must(engines?.['node'] === NODE, `"engines.node" is "${NODE}"`)
  must(repository?.url === REPOSITORY, `"repository.url" is "${REPOSITORY}"`)
  must(repository?.directory === folder, `"repository.directory" is "${folder}"`)
  must(publishConfig?.access === 'public', '"publishConfig.access" is "public": a scoped package is private otherwise')
  for (const pattern of ['dist', 'src', ...UNPUBLISHED])
    must(files?.includes(pattern) === true, `"files" has "${pattern}"`)
  for (const name of [...installedWith(manifest), ...Object.keys(manifest.peerDependencies ?? {})])
    must(!isPrivate.has(name), `it needs ${name}, which is private`)

  must(exports?.['./package.json'] === './package.json', '"exports" has "./package.json"')
  must(exports?.['.'] !== undefined, '"exports" has "."')
  for (const [entry, target] of Object.entries(exports ?? {})) problems.push(...exportProblems(folder, entry, target))

  for (const [name, file] of Object.entries(bin ?? {})) {
    const text = await readFile(inRepository(folder, file), 'utf8').catch(() => '')
    must(text.startsWith('#!/usr/bin/env node\n'), `the command ${name} is a file that begins with #!/usr/bin/env node`)
  }
  return problems
}

function exportProblems(folder: string, entry: string, target: ExportTarget): string[] {
  if (typeof target === 'string')
    return entry.includes('*') || existsSync(inRepository(folder, target)) ? [] : [`${target} is there`]
  const conditions = Object.keys(target)
  return [
    ...(conditions[0] === 'types' ? [] : [`"types" is the first condition of "${entry}"`]),
    ...(conditions.at(-1) === 'default' ? [] : [`"default" is the last condition of "${entry}"`]),
    ...(conditions.includes('require') ? [`"${entry}" has no "require": we publish ES modules alone`] : []),
    ...targetsOf(target)
      .filter((file) => !existsSync(inRepository(folder, file)))
      .map((file) => `"${entry}" leads to ${file}, which is there`),
  ]
}

const targetsOf = (target: ExportTarget): string[] =>
  typeof target === 'string' ? [target] : Object.values(target).flatMap(targetsOf)
