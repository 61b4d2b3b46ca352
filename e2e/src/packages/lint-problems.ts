import { readFile } from 'node:fs/promises'
import { checkPackage, type Package } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { Tarball } from './pack.ts'

/** @returns what publint says of a tarball, its suggestions included. */
export async function publintProblems({ file }: Tarball): Promise<string[]> {
  const bytes = await readFile(file)
  const { messages, pkg } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  })
  return messages.map((message) => `${formatMessage(message, pkg, { color: false })}`)
}

/** We publish ES modules alone: who resolves as Node did before them, or requires, is told so by Node itself. */
const IGNORED_RESOLUTIONS = new Set(['node10', 'node16-cjs'])

/** @returns what are-the-types-wrong says of a tarball, for those who import ES modules. */
export async function typesProblems(tarball: Package): Promise<string[]> {
  const result = await checkPackage(tarball, { excludeEntrypoints: [/^\.\/lexicons/] })
  if (!result.types) return ['it has no types']
  return result.problems
    .filter((problem) => !('resolutionKind' in problem && IGNORED_RESOLUTIONS.has(problem.resolutionKind)))
    .map(({ kind, ...where }) => `${kind} ${JSON.stringify(where)}`)
}
