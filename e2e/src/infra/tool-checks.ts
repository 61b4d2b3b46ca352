import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { lintChart, refusedValues, renderChart } from './chart.ts'
import { INFRA, ROOT, type Check, type Outcome } from './check.ts'
import { imageCommands } from './image.ts'
import { infraFiles, isTemplate } from './plain-checks.ts'
import { unitFiles, verifyUnits } from './systemd.ts'

const promtool = process.env['PROMTOOL'] ?? 'promtool'

/** What needs tools of this machine, or runs our commands. */
export async function toolChecks(): Promise<Check[]> {
  const files = await infraFiles()
  const chart = files.filter((file) => file.startsWith('helm/'))
  const units = (await unitFiles()).map((name) => `systemd/${name}`)
  const run = async (file: string, ...args: string[]): Promise<Outcome> => runCommand(file, args)
  return [
    ...[...(await imageCommands())].flatMap(([name, main]): Check[] => [
      { files: ['Dockerfile'], what: `the command ${name} --help`, run: () => run(main, '--help') },
    ]),
    {
      files: ['compose.yaml', 'helm/millrace/templates/migrate.yaml'],
      what: 'the command millrace migrate --help',
      run: () => run('apps/millrace/dist/main.js', 'migrate', '--help'),
    },
    { files: ['image/is-ready.mjs'], what: 'tells ready, not ready and not there', run: isReadyOutcome },
    {
      files: [...units, 'systemd/millrace-.service.d/hardening.conf'],
      what: 'systemd-analyze verify',
      run: verifyUnits,
    },
    { files: chart, what: 'helm lint --strict', run: lintChart },
    {
      files: files.filter(isTemplate),
      what: 'helm template, and what it makes runs commands of the image with variables that hold',
      run: renderChart,
    },
    { files: ['helm/millrace/values.schema.json'], what: 'helm refuses what it forbids', run: refusedValues },
    {
      files: ['prometheus/prometheus.yml', 'prometheus/millrace.rules.yml'],
      what: 'promtool check config',
      run: () => runTool(promtool, ['check', 'config', path.join(INFRA, 'prometheus/prometheus.yml')], 'PROMTOOL'),
    },
    {
      files: ['Dockerfile', 'Dockerfile.dockerignore'],
      what: 'docker build',
      run: () => ({ notRun: 'an image takes minutes, and a Docker engine: docker build -f infra/Dockerfile .' }),
    },
    {
      files: ['compose.yaml'],
      what: 'docker compose up',
      run: () => ({ notRun: 'it starts containers, and takes a Docker engine' }),
    },
    {
      files: files.filter((file) => file.startsWith('grafana/')),
      what: 'Grafana takes it',
      run: () => ({ notRun: 'it takes a Grafana' }),
    },
    {
      files: files.filter(isTemplate),
      what: 'Kubernetes takes it',
      run: () => ({ notRun: 'it takes a cluster, or the schemas of its resources' }),
    },
  ]
}

function runCommand(main: string, args: readonly string[]): Outcome {
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, main), ...args], { encoding: 'utf8' })
  return { problems: status === 0 ? [] : [`exit code ${status}: ${stderr.trim()}`] }
}

function runTool(tool: string, args: readonly string[], variable: string): Outcome {
  const { error, status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' })
  if (error) return { notRun: `there is no ${tool}; name one in ${variable}` }
  return { problems: status === 0 ? [] : [`${stdout}${stderr}`.trim()] }
}

async function isReadyOutcome(): Promise<Outcome> {
  const problems: string[] = []
  for (const [status, code] of [
    [200, 0],
    [503, 1],
  ] as const) {
    const server = createServer((_request, response) => response.writeHead(status).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const answered = await isReady(port)
    server.close()
    if (answered !== code) problems.push(`exit code ${answered} for an answer of ${status}`)
    if (status === 503 && (await isReady(port)) !== 1) problems.push('exit code 0 although nothing answers')
  }
  return { problems }
}

/** @returns its exit code. */
async function isReady(port: number): Promise<number | null> {
  const child = execFile(process.execPath, [path.join(INFRA, 'image/is-ready.mjs'), String(port)])
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}
