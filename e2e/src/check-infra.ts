// Is what `infra/` holds right? All that can be told on this machine, a line for each file and check.
import { parseArgs } from 'node:util'
import { writeValuesSchema } from './infra/chart.ts'
import { outcomeOf } from './infra/check.ts'
import { infraFiles, plainChecks } from './infra/plain-checks.ts'
import { toolChecks } from './infra/tool-checks.ts'

const { values: flags } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run check:infra -- [--write]

Checks every file of infra/: by itself, against the variables that the processes read, and with systemd-analyze, helm
and promtool where they are on the PATH (or named in HELM and PROMTOOL). Runs the commands of the image with --help.
Exits 0 when all that could be run here holds; what could not is listed with the reason.

  --write   make values.schema.json of the chart anew
`)
  process.exit(0)
}

const listed = ([first, ...others]: readonly string[]): string =>
  others.length === 0 ? `${first}` : `${first} and ${others.length} more`
const say = (line: string): void => void process.stdout.write(`${line}\n`)
if (flags.write) await writeValuesSchema()

const checks = [...(await plainChecks()), ...(await toolChecks())]
const unchecked = new Set(await infraFiles())
const notRun: string[] = []
let passed = 0
let failed = 0
for (const check of checks) {
  const outcome = await outcomeOf(check)
  for (const file of check.files) {
    if ('notRun' in outcome) continue
    unchecked.delete(file)
    say(`${outcome.problems.length === 0 ? 'ok    ' : 'FAILED'}  ${file.padEnd(48)}  ${check.what}`)
  }
  if ('notRun' in outcome) notRun.push(`${listed(check.files)}  ${check.what}: ${outcome.notRun}`)
  else if (outcome.problems.length === 0) passed += 1
  else {
    failed += 1
    for (const problem of outcome.problems) say(`        ${problem}`)
  }
}
say('')
for (const line of notRun) say(`not run  ${line}`)
for (const file of unchecked) say(`not checked here  ${file}`)
say(`\n${passed} checks passed, ${failed} failed, ${notRun.length} could not be run here`)
process.exitCode = failed === 0 ? 0 : 1
