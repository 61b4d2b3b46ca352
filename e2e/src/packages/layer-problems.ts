import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { inRepository, installedWith, type WorkspacePackage } from './workspace-packages.ts'

interface LintConfig {
  overrides: {
    files: string[]
    rules: { 'no-restricted-imports'?: 'off' | [string, { patterns: { group: string[] }[] }] }
  }[]
}

const readConfig = async (): Promise<LintConfig> =>
  JSON.parse(await readFile(inRepository('.oxlintrc.json'), 'utf8')) as LintConfig

/**
 * The linter holds imports against `.oxlintrc.json`. This looks that it does so for a package, and that what is installed
 * with it is no more than what it may import.
 */
export async function layerProblems({ folder, manifest }: WorkspacePackage): Promise<string[]> {
  const { overrides } = await readConfig()
  const allowed = new Set<string>()
  let isHeld = false
  for (const { files, rules } of overrides) {
    const rule = rules['no-restricted-imports']
    if (!Array.isArray(rule) || !files.some((glob) => path.matchesGlob(`${folder}/src/index.ts`, glob))) continue
    for (const pattern of rule[1].patterns.flatMap(({ group }) => group)) {
      if (pattern === '@millrace/*') isHeld = true
      else if (pattern.startsWith('!')) allowed.add(pattern.slice(1))
    }
  }
  if (!isHeld) return ['.oxlintrc.json has no "no-restricted-imports" for it']
  return installedWith(manifest)
    .filter((name) => name.startsWith('@millrace/') && !allowed.has(name))
    .map((name) => `it needs ${name}, which it may not import by .oxlintrc.json`)
}
