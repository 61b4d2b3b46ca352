import { readFile } from 'node:fs/promises'
import { inRepository, isLibrary, type WorkspacePackage } from './workspace-packages.ts'

/** Lines of a terminal or a browser that are seen without scrolling. */
const FIRST_SCREEN = 48

export const readReadme = ({ folder }: WorkspacePackage): Promise<string> =>
  readFile(inRepository(folder, 'README.md'), 'utf8')

/** The first block of code of a README, without its fences. */
function firstExample(readme: string): { language: string; code: string; lastLine: number } | undefined {
  const match = /^```(\w+)\n(.*?)^```$/ms.exec(readme)
  if (!match) return undefined
  const [block, language = '', code = ''] = match
  return { language, code, lastLine: readme.slice(0, match.index + block.length).split('\n').length }
}

/** @returns what the first screen of a README lacks: one sentence, one example, the guarantees. */
export async function readmeProblems(subject: WorkspacePackage): Promise<string[]> {
  const readme = await readReadme(subject).catch(() => undefined)
  if (readme === undefined) return ['it has no README.md']
  const [title, blank, sentence = ''] = readme.split('\n')
  const problems: string[] = []
  const must = (holds: boolean, rule: string): void => void (holds || problems.push(rule))
  must(title === `# ${subject.manifest.name}`, `it begins with "# ${subject.manifest.name}"`)
  must(blank === '' && /[.:]$/.test(sentence), 'then says in one sentence what it is')

  const example = firstExample(readme)
  if (!example) return [...problems, 'then shows one example']
  must(example.lastLine <= FIRST_SCREEN, `its first example ends on the first screen (line ${example.lastLine})`)
  if (isLibrary(subject) && !subject.manifest.bin) {
    must(example.language === 'ts', 'its first example is TypeScript')
    must(example.code.includes(`from '${subject.manifest.name}`), 'its first example imports it')
  }
  // What holds is a list; whatever stands before it on the page is short.
  const listAt = readme.split('\n').findIndex((line, at) => at >= example.lastLine && line.startsWith('- '))
  must(listAt !== -1 && listAt < FIRST_SCREEN, 'then lists what it guarantees, on the first screen')
  return problems
}
