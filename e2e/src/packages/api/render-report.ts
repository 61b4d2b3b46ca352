import type { WorkspacePackage } from '../workspace-packages.ts'
import type { PublicEntry, PublicName } from './public-name.ts'

const fence = '```'

/** @returns the public surface of a package, bare: what changes here changes what users have. */
export function renderReport({ manifest }: WorkspacePackage, entries: readonly PublicEntry[]): string {
  const parts = entries.map(
    ({ entry, exported, passedOn, within }) => `## ${entry}

${fence}ts
${[
  ...exported.map(({ bare }) => `export ${bare}`),
  ...passedOn.map(({ name, from }) => `export { ${name} } from '${from}'`),
].join('\n\n')}
${fence}
${within.length === 0 ? '' : `\nNot exported, and seen in what is:\n\n${fence}ts\n${bareOf(within)}\n${fence}\n`}`,
  )
  return `# What ${manifest.name} exports

Made by \`npm run check:packages -- --write\`. A change of this file is a change for users, and needs a changeset.

${parts.join('\n')}`
}

const bareOf = (names: readonly PublicName[]): string => names.map(({ bare }) => bare).join('\n\n')
