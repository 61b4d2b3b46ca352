import { expectationOf, isRequired, type Definition, type Variable } from './config.ts'

/** What `--help` prints: every variable with its sentence, its type and its default. */
export function helpText(options: { command: string; summary?: string; definition: Definition }): string {
  const lines = [`Usage: ${options.command} [--help] [--version]`, '']
  if (options.summary) lines.push(options.summary, '')
  lines.push('It is configured by environment variables:', '')
  for (const [name, variable] of Object.entries(options.definition)) {
    lines.push(`  ${name}  (${standing(variable)})`)
    lines.push(`      ${variable.help}`)
    lines.push(`      ${expectationOf(variable.schema)}`, '')
  }
  return lines.join('\n')
}

/** Markdown tables of variables for the documentation, one for each section. */
export function printConfigDocs(sections: readonly { title: string; definition: Definition }[]): string {
  return sections
    .map(({ title, definition }) =>
      [
        `## ${title}`,
        '',
        '| variable | default | what it does | value |',
        '|---|---|---|---|',
        ...Object.entries(definition).map(
          ([name, variable]) =>
            `| \`${name}\` | ${defaultCell(variable)} | ${cell(variable.help)} | ${cell(expectationOf(variable.schema))} |`,
        ),
        '',
      ].join('\n'),
    )
    .join('\n')
}

function standing(variable: Variable): string {
  if (isRequired(variable)) return 'required'
  return variable.default === undefined ? 'not set by default' : `default: ${variable.default}`
}

function defaultCell(variable: Variable): string {
  if (isRequired(variable)) return '**required**'
  return variable.default === undefined ? '' : `\`${cell(variable.default)}\``
}

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`)
