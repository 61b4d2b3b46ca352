import { spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Ajv } from 'ajv'
import { parse, parseAllDocuments } from 'yaml'
import { INFRA, readInfra, ROOT, type Outcome } from './check.ts'
import { imageCommands } from './image.ts'
import { valuesSchema } from './values-schema.ts'
import { environmentProblems } from './variables.ts'

const CHART = path.join(INFRA, 'helm/millrace')
const SCHEMA = 'helm/millrace/values.schema.json'
const helm = process.env['HELM'] ?? 'helm'

const schemaText = (): string => `${JSON.stringify(valuesSchema(), undefined, 2)}\n`

export async function writeValuesSchema(): Promise<void> {
  await writeFile(path.join(INFRA, SCHEMA), schemaText())
}

export async function schemaProblems(): Promise<string[]> {
  // As values: how the file is laid out is the formatter's.
  const isCurrent = JSON.stringify(JSON.parse(await readInfra(SCHEMA))) === JSON.stringify(valuesSchema())
  return isCurrent ? [] : ['it is not what the variables give: npm run check:infra -- --write']
}

/** @returns what is wrong with values of the chart. */
export function valuesProblems(values: unknown): string[] {
  const isGood = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(valuesSchema())
  if (isGood(values)) return []
  return (isGood.errors ?? []).map(({ instancePath, message, params }) => {
    const { additionalProperty } = params as { additionalProperty?: string }
    return `${instancePath} ${message}${additionalProperty === undefined ? '' : ` (${additionalProperty})`}`
  })
}

export async function ownValuesProblems(): Promise<string[]> {
  return valuesProblems(parse(await readInfra('helm/millrace/values.yaml')))
}

export async function versionProblems(): Promise<string[]> {
  const { appVersion } = parse(await readInfra('helm/millrace/Chart.yaml')) as { appVersion: string }
  const { version }: { version: string } = JSON.parse(
    await readFile(path.join(ROOT, 'apps/millrace/package.json'), 'utf8'),
  )
  return appVersion === version ? [] : [`appVersion is ${appVersion}, and the release ${version}`]
}

const everythingOn = [
  '--set=existingSecret=stores,admin.existingSecret=admin',
  '--set=monitoring.podMonitor.enabled=true,monitoring.prometheusRule.enabled=true,monitoring.labels.release=prometheus',
  // As a file of values would have it, where large numbers are floats.
  '--set-json=ingester.env={"STREAM_HIGH_WATER_MB":2000000}',
  '--set=indexer.replicas=3,indexer.env.INDEXER_CONCURRENCY=4',
]

/** A helm that was built by hand believes in a Kubernetes of long ago. */
const KUBERNETES = '--kube-version=1.31.0'

const render = (...settings: string[]) => runHelm('template', 'millrace', CHART, KUBERNETES, ...settings)

function runHelm(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(helm, args, { encoding: 'utf8' })
}

function hasHelm(): boolean {
  return spawnSync(helm, ['version']).error === undefined
}

const withoutHelm = { notRun: 'there is no helm; name one in HELM' }

export function lintChart(): Outcome {
  if (!hasHelm()) return withoutHelm
  const { status, stdout } = runHelm('lint', '--strict', KUBERNETES, CHART, ...everythingOn)
  return { problems: status === 0 ? [] : [stdout] }
}

/** That helm holds values against the schema. */
export function refusedValues(): Outcome {
  if (!hasHelm()) return withoutHelm
  const bad = ['env.INDEXER_BATCHSIZE=1', 'indexer.env.DB_POSTGRES_URL=postgres://db/appview', 'admin.replicas=2']
  const taken = bad.filter((set) => {
    const { status, stderr } = render('--set=existingSecret=stores', `--set=${set}`)
    return status === 0 || !stderr.includes('schema')
  })
  return { problems: taken.map((set) => `the schema does not refuse ${set}`) }
}

interface Container {
  args: readonly [string, ...string[]]
  env?: readonly { name: string; value?: string }[]
  envFrom?: readonly { secretRef: { name: string } }[]
}

interface Resource {
  kind: string
  metadata: { name: string }
  spec?: { template?: { spec: { containers: readonly Container[] } } }
}

/** The keys of the Secrets that the chart is given, in this check. */
const secrets: Readonly<Record<string, Record<string, string>>> = {
  stores: { REDIS_URL: 'redis://redis:6379', DB_POSTGRES_URL: 'postgres://db/appview' },
  admin: { ADMIN_PASSWORDS: 'secret' },
}

const kinds = ['Deployment', 'Job', 'PodMonitor', 'PrometheusRule', 'Service', 'StatefulSet']

/** Renders the chart, and looks at what comes out: the kinds there are, their commands and environments. */
export async function renderChart(): Promise<Outcome> {
  if (!hasHelm()) return withoutHelm
  const { status, stdout, stderr } = render(...everythingOn)
  if (status !== 0) return { problems: [stderr] }
  const documents = parseAllDocuments(stdout)
  const problems = documents.flatMap(({ errors }) => errors.map(({ message }) => message))
  const resources = documents.map((document) => document.toJS() as Resource | null).filter((one) => one !== null)
  const commands = await imageCommands()
  for (const { kind, metadata, spec } of resources) {
    for (const { args, env = [], envFrom = [] } of spec?.template?.spec.containers ?? []) {
      if (!commands.has(args[0])) problems.push(`${kind} ${metadata.name}: the image has no command ${args[0]}`)
      const given = Object.fromEntries(env.map(({ name, value }) => [name, value ?? metadata.name]))
      const secret = envFrom.map(({ secretRef }) => secrets[secretRef.name] ?? {})
      problems.push(...environmentProblems(args[0], Object.assign({}, given, ...secret)))
    }
  }
  const missing = kinds.filter((kind) => resources.every((one) => one.kind !== kind))
  return { problems: [...problems, ...missing.map((kind) => `it makes no ${kind}`)] }
}
