import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { alertRules } from '@millrace/diagnosis/prometheus'
import { eventually, serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { FourApps } from '../pipeline/four-apps.ts'
import { metricsOf } from './metrics-of.ts'

const read = (file: string) => readFile(path.resolve(import.meta.dirname, '../../../infra', file), 'utf8')

interface RuleFile {
  groups: { rules: { alert: string; expr: string; labels: { code: string }; annotations: { runbook_url: string } }[] }[]
}
interface Dashboard {
  panels: { targets?: { expr: string }[] }[]
}

const readRules = async () =>
  (parse(await read('prometheus/millrace.rules.yml')) as RuleFile).groups.flatMap(({ rules }) => rules)
const readExpressions = async () =>
  (JSON.parse(await read('grafana/millrace.json')) as Dashboard).panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr),
  )

test.each([
  ['max(millrace_problems{code="lag"}) > 0', ['millrace_problems']],
  ['sum by (stream, kind) (rate(a_total{kind="ours"}[$__rate_interval]))', ['a_total']],
  ['histogram_quantile(0.5, sum by (le) (rate(a_seconds_bucket[5m]))) or vector(1)', ['a_seconds_bucket']],
  ['absent(a_b) or time() - max(a_b) > 300', ['a_b']],
])('the metrics of an expression are found: %s', (expr, metrics) => {
  expect(metricsOf(expr)).toEqual(metrics)
})

test('the rules parse as YAML, one for each alarm, each with its section of the runbook', async () => {
  const rules = await readRules()
  expect(rules.map(({ labels }) => labels.code)).toEqual(alertRules().map(({ code }) => code))
  for (const { labels, annotations } of rules)
    expect(annotations.runbook_url).toMatch(new RegExp(`/docs/runbook\\.md#${labels.code}$`))
})

serviceTest(
  'rules and dashboard name metrics that the apps export, and no others (O2, O3)',
  { timeout: 300_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startSimulatedNetwork({ accounts: 1, recordsPerAccount: 1, labels: 1 })
    const env = { LOG_LEVEL: 'info', ADMIN_ALERT_WEBHOOKS: 'http://127.0.0.1:1/' }
    await using four = await FourApps.start({ network, redisUrl, databaseUrl, form: 'source', env })
    const exported = new Set(['up'])
    const wanted = [...(await readRules()).map(({ expr }) => expr), ...(await readExpressions())]
    const metrics = new Set(wanted.flatMap((expr) => metricsOf(expr)))
    expect(metrics.size).toBeGreaterThan(40)
    await eventually(
      async () => {
        four.assertRunning()
        for (const app of Object.values(four.apps))
          for (const name of await scrape(await app.metricsPort())) exported.add(name)
        expect([...metrics].filter((name) => !exported.has(name))).toEqual([])
      },
      { timeoutMs: 240_000, everyMs: 500 },
    )
  },
)

/** The names of all that the registry of a process has, whether it has values yet or not. */
async function scrape(port: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name!],
  )
}
