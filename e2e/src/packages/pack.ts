import { mkdir } from 'node:fs/promises'
import { runCommand } from './run-command.ts'
import type { WorkspacePackage } from './workspace-packages.ts'

/** A package as npm has it. */
export interface Tarball {
  subject: WorkspacePackage
  /** The `.tgz`. */
  file: string
  /** How many files are in it. */
  files: number
}

/** Packs as publishing would: `workspace:` and `catalog:` become versions. */
export async function packAll(root: string, packages: readonly WorkspacePackage[], to: string): Promise<Tarball[]> {
  await mkdir(to, { recursive: true })
  const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`)
  const out = await runCommand('pnpm', ['--recursive', ...filters, 'pack', '--json', '--pack-destination', to], {
    cwd: root,
  })
  const packed = JSON.parse(out) as { name: string; filename: string; files: unknown[] }[]
  return packages.map((subject) => {
    const found = packed.find(({ name }) => name === subject.manifest.name)
    if (!found) throw new Error(`pnpm has not packed ${subject.manifest.name}`)
    return { subject, file: found.filename, files: found.files.length }
  })
}
