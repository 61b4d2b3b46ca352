import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { ROOT } from '../infra/check.ts'

type Names = Record<string, string>

/** A target of `exports`, or targets by condition. */
export type ExportTarget = string | { [condition: string]: ExportTarget }

/** The fields of a `package.json` that are looked at. */
export interface Manifest {
  name: string
  version: string
  description?: string
  private?: boolean
  license?: string
  type?: string
  sideEffects?: boolean
  repository?: { type?: string; url?: string; directory?: string }
  publishConfig?: { access?: string }
  engines?: Names
  files?: string[]
  bin?: Names
  exports?: Record<string, ExportTarget>
  dependencies?: Names
  devDependencies?: Names
  optionalDependencies?: Names
  peerDependencies?: Names
}

export interface WorkspacePackage {
  /** Without the scope. */
  name: string
  /** Relative to the repository, such as `packages/indexing`. */
  folder: string
  manifest: Manifest
}

const SCOPE = '@millrace/'

export const inRepository = (...parts: readonly string[]): string => path.join(ROOT, ...parts)

export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The packages that strangers can install, and those of `packages/` and `apps/` that are private. */
export async function workspacePackages(
  root = ROOT,
): Promise<{ published: WorkspacePackage[]; isPrivate: Set<string> }> {
  const published: WorkspacePackage[] = []
  const isPrivate = new Set<string>()
  for (const parent of ['packages', 'apps']) {
    for (const entry of (await readdir(path.join(root, parent))).toSorted()) {
      const folder = `${parent}/${entry}`
      const manifest = await readManifest(path.join(root, folder))
      if (manifest.private === true) isPrivate.add(manifest.name)
      else published.push({ name: manifest.name.replace(SCOPE, ''), folder, manifest })
    }
  }
  return { published, isPrivate }
}

export const isLibrary = ({ folder }: WorkspacePackage): boolean => folder.startsWith('packages/')

/** What is installed with a package, by name. */
export const installedWith = ({ dependencies, optionalDependencies }: Manifest): string[] =>
  Object.keys({ ...dependencies, ...optionalDependencies })
