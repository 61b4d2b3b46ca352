import { readdir } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import { ownValuesProblems, schemaProblems, versionProblems } from './chart.ts'
import { INFRA, readInfra, type Check } from './check.ts'
import { composeServiceProblems, composeShapeProblems, exampleProblems, scrapeProblems } from './compose.ts'
import { imageProblems } from './image.ts'
import { unitFiles, unitProblems } from './systemd.ts'

/** Every file of `infra/`, relative to that. */
export async function infraFiles(): Promise<string[]> {
  const entries = await readdir(INFRA, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(INFRA.length + 1))
    .toSorted()
}

/** Templates are YAML once helm has filled them in. */
export const isTemplate = (file: string): boolean => file.startsWith('helm/millrace/templates/')

const problems = (files: readonly string[], what: string, find: () => Promise<string[]>): Check => ({
  files,
  what,
  run: async () => ({ problems: await find() }),
})

/** What needs nothing but the files and our own code. */
export async function plainChecks(): Promise<Check[]> {
  const files = await infraFiles()
  const services = (await unitFiles()).filter((name) => name.endsWith('.service')).map((name) => `systemd/${name}`)
  return [
    ...files.filter((file) => /\.ya?ml$/.test(file) && !isTemplate(file)).map(yamlCheck),
    ...files.filter((file) => file.endsWith('.json')).map(jsonCheck),
    problems(['Dockerfile'], 'has our Node, copies what is there, and is not root', imageProblems),
    problems(['compose.yaml'], 'holds against the schema of the Compose specification', composeShapeProblems),
    problems(
      ['compose.yaml'],
      'runs commands of the image, with variables that hold, and mounts what is there',
      composeServiceProblems,
    ),
    problems(['.env.example'], 'has what compose.yaml asks for', exampleProblems),
    problems(['prometheus/prometheus.yml'], 'asks each service of compose.yaml at its port', scrapeProblems),
    problems(
      [...services, 'systemd/millrace.env', 'systemd/millrace-.service.d/hardening.conf'],
      'run commands of the image, with variables that hold',
      unitProblems,
    ),
    problems(['helm/millrace/Chart.yaml'], 'is of this release', versionProblems),
    problems(['helm/millrace/values.schema.json'], 'is made of the variables', schemaProblems),
    problems(['helm/millrace/values.yaml'], 'holds against the schema', ownValuesProblems),
  ]
}

const yamlCheck = (file: string): Check =>
  problems([file], 'is YAML', async () =>
    parseAllDocuments(await readInfra(file), { merge: true }).flatMap(({ errors }) =>
      errors.map(({ message }) => message),
    ),
  )

const jsonCheck = (file: string): Check =>
  problems([file], 'is JSON', async () => {
    JSON.parse(await readInfra(file))
    return []
  })
