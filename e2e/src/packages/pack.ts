import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { runCommand } from './run-command.ts'
import { type WorkspacePackage } from './workspace-packages.ts'

/** A package as npm has it. */
export interface Tarball {
  subject: WorkspacePackage
  /** The `.tgz`. */
  file: string
}

/** Packs as publishing would: `workspace:` and `catalog:` become versions. Two at a time. */
export async function packAll(root: string, packages: readonly WorkspacePackage[], to: string): Promise<Tarball[]> {
  await mkdir(to, { recursive: true })
  const waiting = [...packages]
  const tarballs: Tarball[] = []
  const packNext = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject; subject = waiting.shift()) {
      const out = await runCommand('pnpm', ['pack', '--json', '--pack-destination', to], {
        cwd: path.join(root, subject.folder),
      })
      tarballs.push({ subject, file: (JSON.parse(out) as { filename: string }).filename })
    }
  }
  await Promise.all([packNext(), packNext()])
  return tarballs.toSorted((a, b) => a.subject.folder.localeCompare(b.subject.folder))
}
