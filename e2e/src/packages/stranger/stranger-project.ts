import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Tarball } from '../pack.ts'
import { runCommand } from '../run-command.ts'
import { readManifest, type Manifest } from '../workspace-packages.ts'

/** What a careful stranger compiles with. Declarations are checked as well: none of ours may be wrong. */
const compilerOptions = {
  module: 'nodenext',
  target: 'es2023',
  lib: ['es2024', 'esnext.disposable', 'esnext.collection', 'esnext.iterator', 'esnext.promise'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
}

/** The declarations of `@atproto/api` hold with these alone. */
export const forAtprotoApi = {
  lib: [...compilerOptions.lib, 'dom', 'dom.iterable'],
  exactOptionalPropertyTypes: false,
}

export interface StrangerProjectOptions {
  /** Empty, and in no workspace. */
  folder: string
  tarballs: readonly Tarball[]
  /** Names of packages that are asked for; what they need comes along. */
  packages: readonly string[]
  devDependencies: Record<string, string>
  /** What it does not compile as strictly as others. */
  compilerOptions?: Record<string, unknown>
  /** Paths of what is in it, and their texts. */
  files: Record<string, string>
}

export interface RunFileOptions {
  /** Another Node than ours. */
  node?: string
  args?: readonly string[]
}

/** A project of somebody who has our packages from npm. */
export class StrangerProject {
  readonly #options: StrangerProjectOptions

  constructor(options: StrangerProjectOptions) {
    this.#options = options
  }

  /** Writes its files, and installs with npm what it asks for. What npm has in its cache is not downloaded again. */
  async install(): Promise<void> {
    const { folder, tarballs, packages, devDependencies, files } = this.#options
    const tsconfig = { compilerOptions: { ...compilerOptions, ...this.#options.compilerOptions }, include: ['**/*.ts'] }
    const placed = tarballs.map(({ subject, file }) => [subject.manifest.name, `file:${file}`] as const)
    const manifest = {
      name: 'stranger',
      private: true,
      type: 'module',
      dependencies: Object.fromEntries(placed.filter(([name]) => packages.includes(name))),
      devDependencies,
      // The registry has not heard of what is not asked for by its name.
      overrides: Object.fromEntries(placed.filter(([name]) => !packages.includes(name))),
    }
    const texts = { 'package.json': JSON.stringify(manifest), 'tsconfig.json': JSON.stringify(tsconfig), ...files }
    for (const [name, text] of Object.entries(texts)) {
      const file = path.join(folder, name)
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, text)
    }
    const args = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    await runCommand('npm', args, { cwd: folder, env: ownEnvironment() })
  }

  /** @throws {Error} with what the compiler says, when its TypeScript does not compile. */
  async compile(): Promise<void> {
    await runCommand('node', ['node_modules/typescript/bin/tsc', '--pretty', 'false'], { cwd: this.#options.folder })
  }

  /** @returns what a file of it printed, or a command that is installed in it. */
  run(file: string, { node = 'node', args = [] }: RunFileOptions = {}): Promise<string> {
    return runCommand(node, [file, ...args], { cwd: this.#options.folder, env: ownEnvironment() })
  }

  /** Runs tests of it with vitest, on a Postgres. */
  async test(folder: string, postgresUrl: string): Promise<void> {
    const env = { ...ownEnvironment(), TEST_POSTGRES_URL: postgresUrl }
    await runCommand('node', ['node_modules/vitest/vitest.mjs', 'run', folder], { cwd: this.#options.folder, env })
  }

  /** Names of all packages that are in it. */
  async installed(): Promise<string[]> {
    const modules = path.join(this.#options.folder, 'node_modules')
    const entries = await readdir(modules, { recursive: true, withFileTypes: true })
    const manifests: Manifest[] = await Promise.all(
      entries
        .filter(({ name, parentPath }) => name === 'package.json' && /node_modules\/(@[^/]+\/)?[^/]+$/.test(parentPath))
        .map(({ parentPath }) => readManifest(parentPath)),
    )
    return manifests.map(({ name }) => name).toSorted()
  }
}

/** npm and pnpm hand their settings down, and a condition of ours would lead to sources. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^MILLRACE_|^DATABASE_URL$/i.test(name)),
  )
}
