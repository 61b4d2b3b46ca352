import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { runCommand } from '../packages/run-command.ts'

/** A clone of what is committed, where a release is made without touching the work tree. */
export class ReleaseCopy {
  readonly folder: string
  readonly #root: string

  constructor(root: string, folder: string) {
    this.#root = root
    this.folder = folder
  }

  #run(command: string, ...args: readonly string[]): Promise<string> {
    return runCommand(command, args, { cwd: this.folder })
  }

  /** Clones, installs and builds, from nothing: what was built before may have files whose sources are gone. */
  async prepare(): Promise<void> {
    await runCommand('git', ['clone', '--quiet', '--shared', this.#root, this.folder], { cwd: this.#root })
    await this.#run('pnpm', 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=silent')
    await this.#run('pnpm', 'exec', 'turbo', 'run', 'build', '--force', '--output-logs=errors-only', '--ui=stream')
  }

  /** Checks packages as they would be published. */
  async check({ isFast }: { isFast: boolean }): Promise<void> {
    await this.#run('node', 'e2e/src/check-packages.ts', ...(isFast ? ['--fast'] : []))
  }

  /** What is packed is what was built here; npm refuses versions that it has, so that a second try goes on. */
  async publish(): Promise<string> {
    return this.#run('pnpm', '--recursive', 'publish', '--access=public', '--no-git-checks')
  }
}

/** @returns the names of changes that no version has. */
export async function pendingChangesets(root: string): Promise<string[]> {
  const names = await readdir(path.join(root, '.changeset'))
  return names.filter((name) => name.endsWith('.md') && name !== 'README.md')
}

/**
 * Gives all packages the version that their changes ask for, writes the changelogs, and has the chart name the same
 * release.
 */
export async function setVersions(root: string): Promise<string> {
  await runCommand('pnpm', ['exec', 'changeset', 'version'], { cwd: root })
  const { version }: { version: string } = JSON.parse(
    await readFile(path.join(root, 'apps/millrace/package.json'), 'utf8'),
  )
  const chart = path.join(root, 'infra/helm/millrace/Chart.yaml')
  const text = await readFile(chart, 'utf8')
  await writeFile(
    chart,
    text.replace(/^appVersion: .*$/m, `appVersion: ${version}`).replace(/^version: .*$/m, `version: ${version}`),
  )
  await runCommand('pnpm', ['exec', 'oxfmt', 'packages', 'apps'], { cwd: root })
  return version
}
