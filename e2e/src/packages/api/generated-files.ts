import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { inRepository, type WorkspacePackage } from '../workspace-packages.ts'
import type { PublicEntry } from './public-name.ts'
import { renderIndex, renderReference } from './render-reference.ts'
import { renderReport } from './render-report.ts'

/** Files of the repository that are made of what packages export, and their texts. */
export type GeneratedFiles = Record<string, string>

export const generatedOf = (subject: WorkspacePackage, entries: readonly PublicEntry[]): GeneratedFiles => ({
  [`${subject.folder}/api.md`]: renderReport(subject, entries),
  [`docs/api/${subject.name}.md`]: renderReference(subject, entries),
})

export const generatedIndex = (packages: readonly WorkspacePackage[]): GeneratedFiles => ({
  'docs/api/README.md': renderIndex(packages),
})

/** @returns how files of the repository differ from what they are to be. */
export async function outdatedProblems(files: GeneratedFiles): Promise<string[]> {
  const problems: string[] = []
  for (const [file, text] of Object.entries(files)) {
    const present = await readFile(inRepository(file), 'utf8').catch(() => '')
    if (present === text) continue
    problems.push(`${file} is not up to date: npm run check:packages -- --write\n${diffLines(present, text)}`)
  }
  return problems
}

export async function writeGenerated(files: GeneratedFiles): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(inRepository(file)), { recursive: true })
    await writeFile(inRepository(file), text)
  }
}

const SHOWN = 40

/** Lines that went and lines that came, without those that stay. */
function diffLines(before: string, after: string): string {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const went = without(old, fresh).map((line) => `- ${line}`)
  const came = without(fresh, old).map((line) => `+ ${line}`)
  const lines = [...went, ...came]
  return [...lines.slice(0, SHOWN), ...(lines.length > SHOWN ? [`… ${lines.length - SHOWN} lines more`] : [])].join(
    '\n',
  )
}

/** As often as it occurs more in the one than in the other. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    if (count > 0) left.set(line, count - 1)
    return count === 0
  })
}
