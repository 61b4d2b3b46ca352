// Faults, one after the other, into a whole pipeline of real processes; after each the rows have to be those of the repos.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Random } from '@millrace/dev-network'
import { renderAnomalies } from '@millrace/oracle'
import { formatColumns } from '@millrace/testing/results'
import { nemesisCases } from './nemesis/cases/index.ts'
import { isInconclusive, isPassed, runCase, type CaseResult } from './nemesis/run-case.ts'
import { Stage } from './nemesis/stage.ts'
import { untilQuiet } from './nemesis/until-quiet.ts'
import { seconds } from './seconds.ts'

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string' },
    retry: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout
    .write(`npm run nemesis -- [--minutes <number>] [--retry] [--seed <number>] [--only <text>] [--list] [--json]

A simulated network writes, four kinds of apps run as six processes over a Redis and a Postgres of their own, and faults
are injected one at a time. After each, once nothing is left to do, the database has to be what the final repos say.
Exits 1 when something was lost, came back or is counted wrong, or when a fault could not be brought about.
  --minutes  go on, in random orders, for as long; without it each fault once
  --retry    tries a fault once more that was not brought about, or after which the pipeline did not come to rest in
             time, as on a busy machine; rows that are wrong have no second try
  --seed     of the network and of the orders, 1 unless given
  --only     faults whose name contains this
  --list     what there is
`)
  process.exit(0)
}
const chosen = nemesisCases.filter(({ name }) => name.includes(flags.only ?? ''))
if (flags.list || chosen.length === 0) {
  const rows = (flags.list ? chosen : nemesisCases).map(({ name, hazards, summary }) => [name, hazards, summary])
  process.stdout.write(`${formatColumns(rows)}\n`)
  process.exit(flags.list ? 0 : 2)
}
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const seed = Number(flags.seed)
const random = new Random(seed)
const endsAt = flags.minutes === undefined ? 0 : performance.now() + Number(flags.minutes) * 60_000
const folder = await mkdtemp(path.join(tmpdir(), 'millrace-nemesis-'))
const results: CaseResult[] = []
let stage: Stage | undefined
try {
  for (let round = 0; round === 0 || performance.now() < endsAt; round++) {
    for (const nemesis of round === 0 ? chosen : random.shuffled(chosen)) {
      if (round > 0 && performance.now() >= endsAt) break
      stage ??= await openStage(path.join(folder, String(results.length)))
      let result = await runCase(stage, nemesis)
      if (flags.retry && isInconclusive(result)) {
        say(`${describe(result)}\n  ${nemesis.name}: once more`)
        await stage[Symbol.asyncDispose]()
        stage = await openStage(path.join(folder, `${results.length}-again`))
        result = { ...(await runCase(stage, nemesis)), isSecondTry: true }
      }
      results.push(result)
      say(describe(result))
      if (isPassed(result)) continue
      // What comes after would be compared with rows that are wrong already.
      await stage[Symbol.asyncDispose]()
      stage = undefined
    }
  }
} finally {
  await stage?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}

const failed = results.filter((result) => !isPassed(result))
if (flags.json) process.stdout.write(`${JSON.stringify({ seed, results }, null, 2)}\n`)
else process.stdout.write(`\n${table(results)}\n\n${summary()}\n`)
process.exit(failed.length > 0 ? 1 : 0)

async function openStage(own: string): Promise<Stage> {
  say(`seed ${seed}: starting the network and six processes`)
  const opened = await Stage.open({ seed, folder: own, form: 'built' })
  opened.startAll()
  await opened.firstFrames()
  const quietMs = await untilQuiet(opened, 120_000)
  const anomalies = await opened.compare()
  if (anomalies.length > 0) throw new Error(`wrong before any fault:\n${renderAnomalies(anomalies)}`)
  say(`  ${opened.network.totals().recordCount} records are in after ${seconds(quietMs)}`)
  return opened
}

function describe(result: CaseResult): string {
  if (isPassed(result)) return `  ${result.name}: ${result.injected} times, quiet after ${seconds(result.quietMs ?? 0)}`
  const why = result.error ?? (result.injected === 0 ? 'it did not happen' : renderAnomalies(result.anomalies))
  return `  ${result.name}: FAILED (seed ${seed}, --only ${result.name})\n${why}`
}

function table(all: readonly CaseResult[]): string {
  const rows = all.map((result) => [
    result.name,
    String(result.injected),
    String(result.lost),
    String(result.resurrected),
    String(result.miscounted),
    String(result.other),
    result.quietMs === null ? '-' : seconds(result.quietMs),
    isPassed(result) ? (result.isSecondTry ? 'at the second try' : '') : 'FAILED',
  ])
  const head = ['fault', 'injected', 'lost', 'resurrected', 'wrong counters', 'other', 'quiet after', '']
  return formatColumns([head, ...rows], [1, 2, 3, 4, 5, 6])
}

function summary(): string {
  const sum = (of: (result: CaseResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  return [
    `${results.length} faults, injected ${sum((result) => result.injected)} times`,
    `${sum((result) => result.lost)} lost, ${sum((result) => result.resurrected)} resurrected, ${sum((result) => result.miscounted)} wrong counters`,
    failed.length === 0 ? 'all as it must be' : `${failed.length} failed: ${failed.map(({ name }) => name).join(', ')}`,
  ].join('; ')
}
