import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { inRepository, installedWith, readManifest, type WorkspacePackage } from './workspace-packages.ts'

/** Everything that is installed with a package, found as Node finds it: by the folders above each. */
export async function installedPackages({ folder, manifest }: WorkspacePackage): Promise<Map<string, string[]>> {
  /** By name, the way there. */
  const found = new Map<string, string[]>()
  const waiting = installedWith(manifest).map((name) => ({ name, from: inRepository(folder), way: [manifest.name] }))
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { name, from, way } = next
    if (found.has(name)) continue
    const place = placeOf(name, from)
    if (place === undefined) continue // Optional, and not for this machine.
    found.set(name, [...way, name])
    for (const below of installedWith(await readManifest(place)))
      waiting.push({ name: below, from: place, way: [...way, name] })
  }
  return found
}

function placeOf(name: string, from: string): string | undefined {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const place = path.join(folder, 'node_modules', name)
    if (existsSync(path.join(place, 'package.json'))) return realpathSync(place)
    if (folder === path.dirname(folder)) return undefined
  }
}
