// Everything that reads bytes of strangers, with bytes of strangers, for as long as you like.
import { inspect, parseArgs } from 'node:util'
import { keepFailure, readRegressions } from './fuzz/regressions.ts'
import { runTarget, tryInput } from './fuzz/run-target.ts'
import { fuzzTargets } from './fuzz/targets/index.ts'

const names = fuzzTargets.map(({ name }) => name).join(', ')
const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string' },
    input: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(
    `npm run fuzz -- [--seconds 60] [--only car,tree] [--seed <number>] [--input <number>]

Inputs at random for each reader (${names}), in turn. What comes out is compared with what was signed, or with what
@atproto/repo and @atproto/lex-cbor say. Exits 1 when something is wrong; the input is then kept under
e2e/src/fuzz/regressions, where it is tried first from then on.
  --seconds  how long, for all targets together
  --seed     the same inputs as in another run; printed at the start
  --input    only this one of the seed's inputs; printed with each failure. Takes --only
`,
  )
  process.exit(0)
}
const only = flags.only?.split(',')
const unknown = only?.find((name) => !fuzzTargets.some((target) => target.name === name))
const seconds = Number(flags.seconds)
const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31))
const first = Number(flags.input ?? 0)
if (unknown !== undefined || ![seconds, seed, first].every((number) => number >= 0)) {
  process.stderr.write(`${unknown === undefined ? 'a number is none' : `no target ${unknown}: there are ${names}`}\n`)
  process.exit(2)
}
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const targets = fuzzTargets.filter(({ name }) => only?.includes(name) ?? true)
say(`seed ${seed}, ${seconds} seconds, ${targets.map(({ name }) => name).join(', ')}`)
for (const target of targets) {
  for (const { file, input } of await readRegressions(target.name)) {
    const error = await tryInput(target, input)
    if (error === undefined) continue
    process.exitCode = 1
    say(`${target.name}: fails again with ${file}: ${inspect(error)}`)
  }
  const endsAt = performance.now() + (seconds * 1_000) / targets.length
  const isEnough = (executions: number): boolean =>
    flags.input === undefined ? performance.now() >= endsAt : executions > 0
  const { executions, verdicts, failures } = await runTarget(target, { seed, first, isEnough })
  say(
    `${target.name}: ${executions} executions, ${verdicts.accepted} accepted, ${verdicts.refused} refused, ${failures.length} failures`,
  )
  for (const failure of failures) {
    process.exitCode = 1
    const { error, number } = failure
    const again = `--seed ${seed} --only ${target.name} --input ${number}`
    say(`  ${again}: ${inspect(error)}`)
    say(`  kept as ${await keepFailure(failure)}`)
  }
}
