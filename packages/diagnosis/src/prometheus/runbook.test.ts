import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { problemCodes, problemKinds } from '../problems/problem-kinds.ts'
import { metricAlarms } from './metric-alarms.ts'
import { alertRules, prometheusRules } from './prometheus-rules.ts'

const read = (file: string) => readFile(path.resolve(import.meta.dirname, '../../../..', file), 'utf8')

/** The sections of the runbook, by their anchors. */
async function sections(): Promise<Map<string, string>> {
  const [, ...parts] = (await read('docs/runbook.md')).split(/^### /m)
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.replace(/^## .*/ms, '')]))
}

test('every problem and every alarm has its section in the runbook, and every section is of one', async () => {
  const codes = [...problemCodes, ...Object.keys(metricAlarms), 'watchdog']
  expect([...(await sections()).keys()].toSorted()).toEqual(codes.toSorted())
})

test('every section says how urgent it is, what is lost, what to run and how it ends', async () => {
  const severities = new Map<string, string>(
    [...Object.entries(problemKinds), ...Object.entries(metricAlarms)].map(([code, { severity }]) => [code, severity]),
  )
  for (const [code, text] of await sections()) {
    expect(text, code).toContain(`\n\`${severities.get(code) ?? 'none'}\` `)
    expect(text, code).toMatch(
      /\*\*Is data being lost\?\*\* \S.*\n\n```sh\n\S[^`]*\n```\n\n\*\*How it ends:\*\* \S.*\.\n/,
    )
  }
})

test('links within the runbook lead somewhere', async () => {
  const anchors = new Set((await sections()).keys())
  const links = [...(await read('docs/runbook.md')).matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor!)
  expect(links.filter((anchor) => !anchors.has(anchor))).toEqual([])
})

test('the rules in infra are those that `millrace alerts print` prints', async () => {
  expect(await read('infra/prometheus/millrace.rules.yml')).toBe(prometheusRules())
})

test('every alarm is a rule, and advice is none', () => {
  const rules = alertRules()
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
  expect(rules.find(({ code }) => code === 'group-stalled')).toMatchObject({
    alert: 'MillraceGroupStalled',
    severity: 'page',
    expr: 'max(millrace_problems{code="group-stalled"}) > 0',
  })
  expect(rules.filter(({ severity }) => severity === 'advice')).toEqual([])
})
