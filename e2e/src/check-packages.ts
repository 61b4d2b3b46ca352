// Can strangers install our packages? A line for each package and check.
import { parseArgs } from 'node:util'
import { outcomeOf, type Outcome } from './infra/check.ts'
import { packageChecks } from './packages/package-checks.ts'
import { checkNames, type CheckName } from './packages/package-check.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run check:packages -- [--only <check or package>]… [--fast] [--write] [--json]

Checks every package that is published: by its manifest and README, packed as npm would have it, and installed.
Exits 0 when all holds, 1 when something does not, 2 for bad arguments.

  --only <name>   these checks alone (${checkNames.join(', ')}),
                  or these packages, such as indexing; can be given several times, and with commas
  --fast          without what is installed from npm, and without knip
  --write         first makes api.md of each package and docs/api anew; look at what git says has changed
  --json          one JSON object at the end, in place of lines
`)
  process.exit(0)
}

await using all = await packageChecks()
if (flags.write) await all.write()
const wanted = flags.only.flatMap((names) => names.split(','))
const isCheck = (name: string): name is CheckName => checkNames.some((known) => known === name)
const subjects = new Set(all.checks.map(({ subject }) => subject))
const unknown = wanted.filter((name) => !isCheck(name) && !subjects.has(name))
if (unknown.length > 0) {
  process.stderr.write(`neither a check nor a package: ${unknown.join(', ')}\n`)
  process.exit(2)
}
const names = wanted.filter(isCheck)
const packages = wanted.filter((name) => !isCheck(name))
const checks = all.checks.filter(
  ({ name, subject }) =>
    !(flags.fast && (name === 'install' || name === 'unused')) &&
    (names.length === 0 || names.includes(name)) &&
    (packages.length === 0 || packages.includes(subject)),
)

const results: { package: string; check: CheckName; what: string; outcome: Outcome; seconds: number }[] = []
const say = (line: string): void => void (flags.json || process.stdout.write(`${line}\n`))
for (const one of checks) {
  const started = performance.now()
  const outcome = await outcomeOf(one)
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1))
  results.push({ package: one.subject, check: one.name, what: one.what, outcome, seconds })
  if ('notRun' in outcome) {
    say(`not run ${one.subject.padEnd(17)}  ${one.name.padEnd(12)}  ${outcome.notRun}`)
    continue
  }
  say(
    `${outcome.problems.length === 0 ? 'ok     ' : 'FAILED '} ${one.subject.padEnd(17)}  ${one.name.padEnd(12)}  ${one.what}`,
  )
  for (const problem of outcome.problems) say(`          ${problem.replaceAll('\n', '\n          ')}`)
}
const failed = results.filter(({ outcome }) => 'problems' in outcome && outcome.problems.length > 0).length
const notRun = results.filter(({ outcome }) => 'notRun' in outcome).length
const passed = results.length - failed - notRun
if (flags.json) process.stdout.write(`${JSON.stringify({ passed, failed, notRun, results }, undefined, 2)}\n`)
say(`\n${passed} checks passed, ${failed} failed${notRun > 0 ? `, ${notRun} could not be run here` : ''}`)
process.exitCode = failed === 0 ? 0 : 1
