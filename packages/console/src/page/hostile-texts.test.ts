import type { AdminMethod, InputOf } from '@millrace/admin-api'
import { readAdminLexicons } from '@millrace/admin-api/documents'
import { h, type ComponentChild } from 'preact'
import { render } from 'preact-render-to-string'
import { expect, test } from 'vitest'
import { Answers, type Answer } from './api/answers.ts'
import { AnswersContext } from './api/use-answer.ts'
import { pageAt, pages } from './pages.ts'
import { Letters } from './pages/dead-letters-page.tsx'
import { Found } from './pages/trace-page.tsx'
import { withVisibleTexts } from './words/visible-text.ts'

const HOSTILE = `<img src=x onerror=alert(1)>"'></script><script>alert(2)</script>javascript:alert(3)\u202E\u0000`

interface Schema {
  type: string
  format?: string
  ref?: string
  items?: Schema
  properties?: Record<string, Schema>
}

const lexicons = readAdminLexicons() as unknown as {
  id: string
  defs: Record<string, Schema & { output?: { schema: Schema } }>
}[]

/** The worst answer that a method may give: every text of it is an attacker's. */
function worstAnswer(name: string): unknown {
  const id = `dev.millrace.admin.${name}`
  return made(lexicons.find((lexicon) => lexicon.id === id)!.defs['main']!.output!.schema, id)
}

function made(schema: Schema, id: string, index = 0): unknown {
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, each]) => [key, made(each, id, index)]),
      )
    case 'array':
      return [0, 1].map((index) => made(schema.items!, id, index))
    case 'ref': {
      const [other, def] = schema.ref!.split('#') as [string, string]
      const home = other === '' ? id : other
      return made(lexicons.find((lexicon) => lexicon.id === home)!.defs[def]!, home, index)
    }
    case 'string':
      return schema.format === 'datetime' ? new Date(index * 3_600_000).toISOString() : `${index}${HOSTILE}`
    case 'integer':
      return index + 1
    default:
      return false
  }
}

class WorstAnswers extends Answers {
  override peek<Name extends AdminMethod>(name: Name, _input: InputOf<Name>): Answer<never> {
    return { value: withVisibleTexts(worstAnswer(name)) as never, at: Date.now() }
  }
}

const answers = new WorstAnswers({
  api: { call: () => Promise.reject(new Error('nobody asks')) },
  attention: { isThere: () => true, onChange: () => undefined },
})

function expectHarmless(html: string): void {
  expect(html).not.toMatch(/<(?:img|script|iframe|object|style)/i)
  for (const hidden of ['\u202E', '\u0000']) expect(html).not.toContain(hidden)
  for (const [tag] of html.matchAll(/<[a-z]+(?:\s+[\w-]+(?:="[^"]*")?)*\s*\/?>/gi))
    for (const [, name = '', value = ''] of tag.matchAll(/\s([\w-]+)(?:="([^"]*)")?/g)) {
      expect(name).not.toMatch(/^on|^style$/i)
      if (name === 'href' || name === 'src') expect(value).toMatch(/^#\//)
    }
}

const within = (children: ComponentChild): string => render(h(AnswersContext.Provider, { value: answers, children }))

test.each(pages.map(({ path, Show }) => [path || 'overview', Show] as const))(
  '%s shows hostile texts as texts (M3)',
  (path, Show) => {
    const html = within(h(Show, { rest: HOSTILE }))
    expectHarmless(html)
    // It is there to be read.
    if (path !== 'trace') expect(html).toContain('&lt;img src=x onerror=alert(1)>')
  },
)

test('so do what is found by a trace, and letters with their payload (M3)', () => {
  const trace = withVisibleTexts(worstAnswer('traceSubject')) as Parameters<typeof Found>[0]['trace']
  for (const html of [
    within(h(Found, { trace })),
    within(h(Letters, { stream: HOSTILE, fingerprint: HOSTILE, example: 1 })),
  ]) {
    expectHarmless(html)
    expect(html).toContain('&lt;img src=x onerror=alert(1)>')
  }
})

test('an address that is none of ours is the overview, and one that cannot be read has nothing behind it', () => {
  expect(pageAt('#/constructor').page.path).toBe('')
  expect(pageAt('#/trace/at%3A%2F%2Fa%2Fb')).toMatchObject({ page: { path: 'trace' }, rest: 'at://a/b' })
  expect(pageAt('#/trace/%E0%A4%A').rest).toBe('')
})
