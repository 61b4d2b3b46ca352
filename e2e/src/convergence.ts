// Scenarios at random, for as long as you like, each compared with the oracle.
import { parseArgs } from 'node:util'
import { startPostgres } from '@millrace/local-services'
import { Indexers } from './convergence/indexers.ts'
import { regressions } from './convergence/regressions.ts'
import { runScenario } from './convergence/run-scenario.ts'
import { renderCounterexample, search } from './convergence/search.ts'

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    path: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(
    `npm run test:convergence -- [--minutes 5] [--seed <number>] [--path <path>] [--json]

What happened to a small network is told to several indexers in a random order, again and again; the rows have to be
those that the oracle computes from its final repos. Exits 1 when they are not, with the smallest scenario found.
  --minutes  how long
  --seed     begin with this one; printed at the start, and with each failure
  --path     only the place where a failure was found with that seed
`,
  )
  process.exit(0)
}
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Then comes the next seed. */
const ROUND_MS = 120_000
const endsAt = performance.now() + Number(flags.minutes) * 60_000
const firstSeed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31))
const startedAt = performance.now()
let seed = firstSeed
const total = { runs: 0, events: 0, failures: 0 }

await using postgres = await startPostgres()
await using indexers = await Indexers.open(postgres.url)
say(`seed ${firstSeed}, ${flags.minutes} minutes, Postgres ${postgres.version}`)
for (const { name, scenario } of regressions) {
  const { anomalies } = await runScenario(indexers, scenario)
  if (anomalies.length === 0) continue
  total.failures += 1
  say(`fails again: ${name}`)
}

const progress = setInterval(() => {
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  say(`${seconds} s  ${total.runs} scenarios  ${total.events} events  ${total.failures} failures  seed ${seed}`)
}, 10_000)
for (; performance.now() < endsAt; seed++) {
  const found = await search({
    indexers,
    seed,
    path: flags.path,
    timeMs: Math.min(ROUND_MS, endsAt - performance.now()),
    shrinkMs: ROUND_MS,
    onRun: ({ events }) => {
      total.runs += 1
      total.events += events
    },
  })
  if (found) {
    total.failures += 1
    process.stdout.write(`${renderCounterexample(found)}\n\n`)
  }
  if (flags.path !== undefined) break
}
clearInterval(progress)

if (flags.json) {
  const { runs, events, failures } = total
  for (const [name, value, pass] of [
    ['convergence scenarios', runs, runs > 0],
    ['convergence events', events, events > 0],
    ['convergence failures', failures, failures === 0],
  ] as const)
    process.stdout.write(`${JSON.stringify({ name, value, unit: name.split(' ')[1], goal: pass ? value : 0, pass })}\n`)
} else {
  process.stdout.write(
    `${total.runs} scenarios, ${total.events} events, seeds ${firstSeed} to ${seed}: ${total.failures === 0 ? 'all end where they must.' : `${total.failures} failures.`}\n`,
  )
}
process.exitCode = total.failures === 0 ? 0 : 1
