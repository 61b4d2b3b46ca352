import { nameOf, type Definition, type Lexicon } from './definition.ts'

/** The Markdown of some lexicons: what each method takes, gives and refuses. */
export function docsOfLexicons(lexicons: readonly Lexicon[]): string {
  const methods = lexicons.filter(({ defs }) => defs['main'])
  const contents = methods.map(({ id, defs }) => {
    const { type, description = '' } = defs['main']!
    return `| [\`${nameOf(id)}\`](#${nameOf(id).toLowerCase()}) | ${type === 'query' ? 'GET' : 'POST'} | ${firstSentence(description)} |`
  })
  return (
    [
      '# Admin API',
      'Methods of the admin server, under `/xrpc/dev.millrace.admin.<name>`. Queries take their parameters in the URL, procedures JSON in the body. Errors are `{error, message}`. This page is made of the [lexicons](../packages/admin-api/lexicons) by `pnpm generate` in `packages/admin-api`.',
      '| method | | |\n|---|---|---|\n' + contents.join('\n'),
      ...methods.map(methodDocs),
      ...lexicons.filter(({ id }) => nameOf(id) === 'defs').map(({ defs }) => `## Shared\n\n${namedDocs(defs)}`),
    ].join('\n\n') + '\n'
  )
}

function methodDocs({ id, defs }: Lexicon): string {
  const main = defs['main']!
  const isQuery = main.type === 'query'
  const input = isQuery ? main.parameters : main.input?.schema
  const parts = [`## ${nameOf(id)}`, `${isQuery ? 'GET' : 'POST'} \`/xrpc/${id}\`. ${main.description ?? ''}`]
  if (input) parts.push(`Takes:\n\n${table(input)}`)
  if (main.output) parts.push(`Gives:\n\n${table(main.output.schema)}`)
  const named = namedDocs(defs)
  if (named !== '') parts.push(named)
  if (main.errors?.length)
    parts.push(
      `Errors:\n\n${main.errors.map(({ name, description = '' }) => `- \`${name}\`: ${description}`).join('\n')}`,
    )
  return parts.join('\n\n')
}

function namedDocs(defs: Record<string, Definition>): string {
  return Object.entries(defs)
    .filter(([name]) => name !== 'main')
    .map(
      ([name, definition]) =>
        `\`${name}\`${definition.description ? `: ${definition.description}` : ''}\n\n${table(definition)}`,
    )
    .join('\n\n')
}

function table({ properties = {}, required = [] }: Definition): string {
  const rows = Object.entries(properties).map(
    ([name, definition]) =>
      `| \`${name}\`${required.includes(name) ? '' : ' ?'} | ${kindOf(definition)} | ${meaningOf(definition)} |`,
  )
  return `| | | |\n|---|---|---|\n${rows.join('\n')}`
}

function kindOf(definition: Definition): string {
  const { type, items, ref, format } = definition
  if (type === 'array') return `list of ${kindOf(items!)}`
  if (type === 'ref') return `\`${ref!.slice(ref!.indexOf('#') + 1)}\``
  return format ?? type
}

function meaningOf({ description = '', knownValues, enum: closed, default: otherwise }: Definition): string {
  const values = closed ?? knownValues
  return [
    description,
    values ? values.map((word) => `\`${word}\``).join(', ') : '',
    otherwise === undefined ? '' : `Default: \`${otherwise}\`.`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function firstSentence(text: string): string {
  return /^.*?[.:](?= |$)/.exec(text)?.[0].replace(/:$/, '.') ?? text
}
