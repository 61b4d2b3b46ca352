import type { WorkspacePackage } from '../workspace-packages.ts'
import type { PublicEntry, PublicName } from './public-name.ts'

const fence = '```'
const written = '<!-- Made by `npm run check:packages -- --write` of the docstrings. -->'

/** How tags of docstrings are told; those that are left out stand in the declaration. */
const tagWords = new Map([
  ['returns', 'Returns'],
  ['throws', 'Throws'],
  ['default', 'Default:'],
  ['deprecated', 'Deprecated:'],
])

/** @returns the reference of a package, as Markdown in `docs/api`. */
export function renderReference({ folder, manifest }: WorkspacePackage, entries: readonly PublicEntry[]): string {
  return `${written}

# ${manifest.name}

${manifest.description}. Its [README](../../${folder}/README.md) says what it is for and what it guarantees.

${entries.map(renderEntry).join('\n')}`
}

/** @returns the list of all references. */
export function renderIndex(packages: readonly WorkspacePackage[]): string {
  const rows = packages.map(({ name, manifest }) => `| [${manifest.name}](${name}.md) | ${manifest.description} |`)
  return `${written}

# API reference

Everything that the libraries export, with what it guarantees.

| package | |
|---|---|
${rows.join('\n')}
`
}

function renderEntry({ entry, exported, passedOn, within }: PublicEntry): string {
  const list = exported.map(({ name }) => `[${name}](#${name.toLowerCase()})`).join(' · ')
  const others = passedOn.map(({ name, from }) => `\`${name}\` of ${from}`).join(', ')
  return `## ${entry}

${list}
${others === '' ? '' : `\nIt passes on ${others}.\n`}
${exported.map(renderName).join('\n')}${within.length === 0 ? '' : `\n### Seen in the above\n\nThese are not exported.\n\n${within.map(renderWithin).join('\n')}`}`
}

const renderName = (name: PublicName): string => `### ${name.name}

${[describe(name), `${fence}ts\n${name.commented}\n${fence}`, `[${name.source}](../../${name.source})`].filter(Boolean).join('\n\n')}
`

const renderWithin = (name: PublicName): string =>
  `${[describe(name), `${fence}ts\n${name.commented}\n${fence}`].filter(Boolean).join('\n\n')}\n`

function describe({ doc, tags }: PublicName): string {
  const told = tags.flatMap(({ name, text }) => {
    const word = tagWords.get(name)
    return word === undefined ? [] : [`**${word}** ${inline(text)}`]
  })
  return [inline(doc), ...told].filter(Boolean).join('\n\n')
}

/** A docstring as Markdown: what looks like a tag of HTML is text. */
const inline = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;').replace(/^\{(\w+)\}/, '`$1`')))
    .join('')
    .trim()
