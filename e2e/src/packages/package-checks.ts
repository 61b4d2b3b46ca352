import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPackageFromTarballData } from '@arethetypeswrong/core'
import { ROOT } from '../infra/check.ts'
import { docsProblems } from './api/docs-problems.ts'
import { generatedIndex, generatedOf, outdatedProblems, writeGenerated } from './api/generated-files.ts'
import { readEntries } from './api/read-entries.ts'
import { contentsProblems } from './contents-problems.ts'
import { dependencyProblems } from './dependency-problems.ts'
import { layerProblems } from './layer-problems.ts'
import { publintProblems, typesProblems } from './lint-problems.ts'
import { manifestProblems } from './manifest-problems.ts'
import { packAll, type Tarball } from './pack.ts'
import { check, type PackageCheck } from './package-check.ts'
import { readmeProblems } from './readme-problems.ts'
import { runCommand } from './run-command.ts'
import { everythingProblems, ownLexiconProblems } from './stranger/stranger-problems.ts'
import { isLibrary, workspacePackages, type WorkspacePackage } from './workspace-packages.ts'

export interface PackageChecks extends AsyncDisposable {
  checks: PackageCheck[]
  /** Makes the reports and the reference anew. */
  write(): Promise<void>
}

/** All checks of all packages. Nothing is packed before a check needs it. */
export async function packageChecks(): Promise<PackageChecks> {
  const { published, isPrivate } = await workspacePackages()
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-packages-'))
  let packed: Promise<Tarball[]> | undefined
  const tarballs = (): Promise<Tarball[]> => (packed ??= packAll(ROOT, published, path.join(folder, 'tarballs')))
  const libraries = published.filter(isLibrary)
  let read: ReturnType<typeof readEntries> | undefined
  const entriesOf = (subject: WorkspacePackage) => (read ??= readEntries(libraries)).get(subject) ?? []

  const checks = published.flatMap((subject) => {
    const { name, manifest } = subject
    const tarball = async (): Promise<Tarball> => {
      const found = (await tarballs()).find((one) => one.subject === subject)
      if (!found) throw new Error(`${name} was not packed`)
      return found
    }
    const unpacked = async () => createPackageFromTarballData(await readFile((await tarball()).file))
    return [
      check(name, 'manifest', 'package.json keeps our rules', () => manifestProblems(subject, isPrivate)),
      check(name, 'readme', 'says on its first screen what it is, shows an example and guarantees', () =>
        readmeProblems(subject),
      ),
      ...(isLibrary(subject)
        ? [check(name, 'layers', 'the linter lets it import what its place allows', () => layerProblems(subject))]
        : []),
      check(name, 'dependencies', 'brings nothing that its users do not need', () => dependencyProblems(subject)),
      ...(isLibrary(subject)
        ? [
            check(name, 'api', 'its report and its reference are up to date', () =>
              outdatedProblems(generatedOf(subject, entriesOf(subject))),
            ),
            check(name, 'docs', 'everything exported has a docstring', () => docsProblems(entriesOf(subject))),
          ]
        : []),
      check(name, 'contents', 'has what it says, and imports what is installed with it', async () =>
        contentsProblems(await unpacked(), manifest),
      ),
      check(name, 'publint', 'is well packed', async () => publintProblems(await tarball())),
      check(name, 'types', 'are found by who imports ES modules', async () => typesProblems(await unpacked())),
    ]
  })
  checks.push(
    check('all', 'unused', 'knip finds no file, export or dependency that nobody uses', async () => {
      await runCommand('pnpm', ['exec', 'knip'], { cwd: ROOT })
      return []
    }),
    check('all', 'api', 'are listed in docs/api', () => outdatedProblems(generatedIndex(libraries))),
    check('own-lexicon', 'install', 'with no more than it needs, compiles strictly and indexes', async () =>
      ownLexiconProblems(path.join(folder, 'own-lexicon'), await tarballs()),
    ),
    check('all', 'install', 'compile strictly, with the examples of their READMEs, and index a network', async () =>
      everythingProblems(path.join(folder, 'all'), await tarballs()),
    ),
  )
  return {
    checks,
    write: async () => {
      for (const subject of libraries) await writeGenerated(generatedOf(subject, entriesOf(subject)))
      await writeGenerated(generatedIndex(libraries))
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
