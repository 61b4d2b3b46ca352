import { readFileSync, realpathSync } from 'node:fs'
import path from 'node:path'

/** The version of the package that a file belongs to. */
export function packageVersion(file: string): string {
  let folder = path.dirname(realpathSync(file))
  for (;;) {
    const found = versionIn(folder)
    if (found !== undefined) return found
    const parent = path.dirname(folder)
    if (parent === folder) return '0.0.0'
    folder = parent
  }
}

function versionIn(folder: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const isVersioned = typeof manifest === 'object' && manifest !== null && 'version' in manifest
    return isVersioned ? String(manifest.version) : undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
