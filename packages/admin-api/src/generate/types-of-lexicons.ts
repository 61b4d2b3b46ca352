import { nameOf, typeName, type Definition, type Lexicon } from './definition.ts'

/** The TypeScript of some lexicons: an interface for each object, and one with all methods. */
export function typesOfLexicons(lexicons: readonly Lexicon[]): string {
  const parts: string[] = ['// Made of the lexicons by `pnpm generate`: change those.']
  const methods: string[] = []
  const queries: string[] = []
  for (const { id, defs } of lexicons) {
    for (const [name, definition] of Object.entries(defs)) {
      if (name !== 'main') {
        parts.push(interfaceOf(typeName(id, name), definition, id, `Told by \`${nameOf(id)}\`.`))
        continue
      }
      const isQuery = definition.type === 'query'
      if (isQuery) queries.push(`'${nameOf(id)}'`)
      const input = isQuery ? definition.parameters : definition.input?.schema
      const inputName = input ? typeName(id, isQuery ? 'params' : 'input') : 'object'
      if (input) parts.push(interfaceOf(inputName, input, id, `What \`${nameOf(id)}\` is asked with.`))
      const output = definition.output?.schema ?? { type: 'object' as const }
      const answers = `What \`${nameOf(id)}\` answers. ${definition.description ?? ''}`.trim()
      parts.push(interfaceOf(typeName(id, 'output'), output, id, answers))
      methods.push(
        `${comment(definition.description, '  ')}  ${nameOf(id)}: { type: '${definition.type}'; input: ${inputName}; output: ${typeName(id, 'output')} }`,
      )
    }
  }
  parts.push(
    `/** Every method, by the last part of its name. */\nexport interface AdminMethods {\n${methods.join('\n')}\n}`,
  )
  parts.push(
    `/** Those that only look. */\nexport const queries: readonly (keyof AdminMethods)[] = [${queries.join(', ')}]`,
  )
  return `${parts.join('\n\n')}\n`
}

function interfaceOf(name: string, definition: Definition, id: string, whatElse: string): string {
  const { properties = {}, required = [], description } = definition
  const fields = Object.entries(properties).map(
    ([field, of]) =>
      `${comment(of.description, '  ')}  ${field}${required.includes(field) ? '' : '?'}: ${typeOf(of, id)}${required.includes(field) ? '' : ' | undefined'}`,
  )
  return `${comment(description ?? whatElse, '')}export interface ${name} {\n${fields.join('\n')}\n}`
}

function typeOf(definition: Definition, id: string): string {
  switch (definition.type) {
    case 'string':
      return stringType(definition)
    case 'integer':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'array':
      return `readonly ${bracketed(typeOf(definition.items!, id))}[]`
    case 'ref': {
      const [of = '', name = 'main'] = definition.ref!.split('#')
      return typeName(of === '' ? id : of, name)
    }
    default:
      throw new TypeError(`${id} has a ${definition.type}, which has no type yet`)
  }
}

/** A known value is one of many that may come: a later server may know others. */
function stringType({ knownValues, enum: closed }: Definition): string {
  if (closed) return closed.map((word) => `'${word}'`).join(' | ')
  if (!knownValues) return 'string'
  return `${knownValues.map((word) => `'${word}'`).join(' | ')} | (string & {})`
}

function bracketed(type: string): string {
  return type.includes('|') ? `(${type})` : type
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? '' : `${indent}/** ${text} */\n`
}
