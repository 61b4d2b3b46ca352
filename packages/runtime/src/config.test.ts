import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { commaList, duration, durationOr, flag, hostList, integer, oneOf, port, text, url } from './config-values.ts'
import { defineConfig, readConfig } from './config.ts'
import { problemsOf } from './describe-config.ts'
import { helpText, printConfigDocs } from './config-docs.ts'
import { editDistance, unknownVariables } from './unknown-variables.ts'

const definition = defineConfig({
  INGESTER_HOSTS: { schema: commaList('hosts'), help: 'Relays to read' },
  INGESTER_COUNT: { schema: integer({ min: 1, max: 50 }), default: '2', help: 'How many' },
  INGESTER_LABEL: { schema: text().optional(), help: 'A label' },
  INGESTER_KEY: { schema: url('redis').optional(), help: 'A key', secret: true },
})

const problemsIn = (env: Record<string, string>) => problemsOf(() => readConfig(definition, env))

describe('readConfig', () => {
  test('gives values of their types, and defaults for what is absent or empty', () => {
    const config = readConfig(definition, { INGESTER_HOSTS: ' a, b ,', INGESTER_COUNT: '', INGESTER_LABEL: ' ' })
    const count: number = config.INGESTER_COUNT
    const label: string | undefined = config.INGESTER_LABEL
    expect({ ...config, count, label }).toEqual({
      INGESTER_HOSTS: ['a', 'b'],
      INGESTER_COUNT: 2,
      INGESTER_LABEL: undefined,
      INGESTER_KEY: undefined,
      count: 2,
      label: undefined,
    })
  })

  test('names every bad variable at once, with its value and what was expected', () => {
    expect(problemsIn({ INGESTER_COUNT: '12ab', INGESTER_LABEL: 'x' })).toEqual([
      'INGESTER_HOSTS is not set: Relays to read (a comma-separated list of hosts)',
      'INGESTER_COUNT is "12ab", expected a whole number from 1 to 50',
    ])
  })

  test('does not show the value of a secret (M9)', () => {
    expect(problemsIn({ INGESTER_HOSTS: 'a', INGESTER_KEY: 'hunter2' })).toEqual([
      'INGESTER_KEY is its value (hidden), expected a URL that begins with redis://',
    ])
  })

  test('keeps a value with control characters on one line', () => {
    const [problem] = problemsIn({ INGESTER_HOSTS: 'a', INGESTER_COUNT: `1\n\u001b[31m${'9'.repeat(500)}` })
    expect(problem).not.toMatch(/\p{Cc}/u)
    expect(problem?.length).toBeLessThan(200)
  })

  test('takes any zod schema', () => {
    const definition = defineConfig({ NAME: { schema: z.string().max(3).optional(), help: 'A name' } })
    expect(readConfig(definition, { NAME: 'abc' }).NAME).toBe('abc')
    expect(() => readConfig(definition, { NAME: 'abcd' })).toThrow(/NAME is "abcd", expected/)
  })
})

const refused = Symbol('refused')
const parse = (schema: z.ZodType, text: string): unknown => {
  const result = schema.safeParse(text)
  return result.success ? result.data : refused
}

test.each([
  ...['12ab', '1e3', '0x10', '1.0', '-1', '', '99999999999999999', '51'].map(
    (text) => [integer({ max: 50 }), text, refused] as const,
  ),
  [integer({ max: 50 }), '50', 50] as const,
  [integer({ max: 50 }), ' 0 ', 0] as const,
  [integer({ min: -5 }), '-5', -5] as const,
  [port(), '65535', 65_535] as const,
  [port(), '65536', refused] as const,
  ...['1', 'true', 'YES'].map((text) => [flag(), text, true] as const),
  ...['0', 'False', 'no'].map((text) => [flag(), text, false] as const),
  [flag(), 'on', refused] as const,
  [commaList(), ' , ,', refused] as const,
  [commaList(), 'a,,b ,', ['a', 'b']] as const,
  [duration(), '3d', 259_200_000] as const,
  [duration(), '90s', 90_000] as const,
  [duration(), '1.5h', 5_400_000] as const,
  [duration(), '500ms', 500] as const,
  ...['90', 's', '-1s', '1w', '1 s', '1e3s'].map((text) => [duration(), text, refused] as const),
  [durationOr('all', 'none'), 'all', 'all'] as const,
  [durationOr('all', 'none'), '2m', 120_000] as const,
  [durationOr('all', 'none'), 'some', refused] as const,
  [oneOf('redis', 'sqlite'), 'sqlite', 'sqlite'] as const,
  [oneOf('redis', 'sqlite'), 'Redis', refused] as const,
  [url('redis', 'rediss'), 'rediss://u:p@h:1/2', 'rediss://u:p@h:1/2'] as const,
  [url('redis', 'rediss'), 'http://h', refused] as const,
  [url('redis', 'rediss'), 'localhost:6379', refused] as const,
  [hostList(), 'bsky.network, http://127.0.0.1:3000', ['https://bsky.network', 'http://127.0.0.1:3000']] as const,
  [hostList(), 'wss://bsky.network/', ['https://bsky.network/']] as const,
  [hostList(), 'https://bsky.network,wss://bsky.network', refused] as const,
  [hostList(), 'ftp://bsky.network', refused] as const,
  [hostList(), 'bsky network', refused] as const,
])('%# $1 is read strictly as $2', (schema, text, expected) => {
  expect(parse(schema, text)).toEqual(expected)
})

describe('unknownVariables', () => {
  test.each([
    { env: { INGESTER_HOST: 'a' }, warnings: ['INGESTER_HOST is not known: did you mean INGESTER_HOSTS?'] },
    { env: { INGESTOR_HOSTS: 'a' }, warnings: ['INGESTOR_HOSTS is not known: did you mean INGESTER_HOSTS?'] },
    { env: { INGESTER_FROBNICATION: '1' }, warnings: ['INGESTER_FROBNICATION is not known, and nothing reads it'] },
    { env: { MILLRACE_STREEMS: 'a' }, warnings: ['MILLRACE_STREEMS is not known, and nothing reads it'] },
    { env: { INGESTER_HOSTS: 'a', INDEXER_GROUP: 'g', HOME: '/', PATH: '/bin' }, warnings: [] },
    { env: { MILLRACE_DATA_DIR: '/data' }, warnings: [] },
  ])('$env gives $warnings', ({ env, warnings }) => {
    expect(unknownVariables(definition, env, ['MILLRACE_DATA_DIR'])).toEqual(warnings)
  })

  test('a name of a shared group is suggested too', () => {
    const [warning] = unknownVariables(definition, { MILLRACE_DATADIR: '/data' }, ['MILLRACE_DATA_DIR'])
    expect(warning).toBe('MILLRACE_DATADIR is not known: did you mean MILLRACE_DATA_DIR?')
  })

  test('counts edits', () => {
    expect(editDistance('INGESTOR_HOST', 'INGESTER_HOSTS')).toBe(2)
    expect(editDistance('', 'abc')).toBe(3)
  })
})

describe('help and docs', () => {
  test('help has every variable with its standing, sentence and type', () => {
    const help = helpText({ command: 'millrace-ingester', definition })
    expect(help).toContain('INGESTER_HOSTS  (required)\n      Relays to read\n      a comma-separated list of hosts')
    expect(help).toContain('INGESTER_COUNT  (default: 2)')
    expect(help).toContain('INGESTER_LABEL  (not set by default)')
  })

  test('docs are a Markdown table whose cells hold no bar', () => {
    const docs = printConfigDocs([
      { title: 'Ingester', definition: { A: { schema: text(), default: 'a|b', help: 'one | two' } } },
    ])
    expect(docs).toContain('## Ingester')
    expect(docs).toContain(String.raw`| ${'`A`'} | ${'`a\\|b`'} | one \| two | text |`)
  })
})
