import { builtinModules } from 'node:module'
import type { Package } from '@arethetypeswrong/core'
import { installedWith, type Manifest } from './workspace-packages.ts'

const IMPORT = /(?:^|[\s;])(?:import|export)\s(?:[^'";]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** @returns packages that a text imports by name; Node's own are left out. */
function importedPackages(text: string): Set<string> {
  const names = new Set<string>()
  for (const [, statically, dynamically] of withoutComments(text).matchAll(IMPORT)) {
    const specifier = statically ?? dynamically ?? ''
    if (specifier.startsWith('.') || specifier.startsWith('node:') || builtinModules.includes(specifier)) continue
    names.add(
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    )
  }
  return names
}

const withoutComments = (text: string): string => text.replaceAll(/\/\*.*?\*\//gs, '')

/** @returns what is wrong with the files of a tarball. */
export function contentsProblems(tarball: Package, manifest: Manifest): string[] {
  const files = tarball.listFiles().map((file) => file.slice(`/node_modules/${manifest.name}/`.length))
  const problems: string[] = []
  for (const name of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts'])
    if (!files.includes(name)) problems.push(`it lacks ${name}`)
  const isPublished = manifest.exports?.['./testing'] !== undefined
  const ofTests = files.filter(
    (file) =>
      /\.(test|testing)\.|\.tsbuildinfo$|\/test-support\//.test(file) || (!isPublished && /\/testing\//.test(file)),
  )
  if (ofTests.length > 0)
    problems.push(`it has ${ofTests.length} files that are for our tests alone, such as ${ofTests[0]}`)

  const declared = new Set([...installedWith(manifest), ...Object.keys(manifest.peerDependencies ?? {}), manifest.name])
  const undeclared = new Map<string, string>()
  for (const file of files.filter((name) => /^dist\/.*(\.js|\.d\.ts)$/.test(name))) {
    for (const name of importedPackages(tarball.readFile(`/node_modules/${manifest.name}/${file}`)))
      if (!declared.has(name)) undeclared.set(name, file)
  }
  for (const [name, file] of undeclared) problems.push(`${file} imports ${name}, which is not installed with it`)
  return problems
}
