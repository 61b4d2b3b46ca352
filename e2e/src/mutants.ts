// Does without one guard after the other, and shows the test that notices.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { guards, type Guard } from '@millrace/failpoints'
import { startPostgres } from '@millrace/local-services'
import { formatColumns } from '@millrace/testing/results'
import { catchers } from './mutants/catchers.ts'
import { runTests, type Verdict } from './mutants/run-tests.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run mutants -- [--only <guard>] [--list] [--json]

Each guard that keeps a promise is left out in turn (MILLRACE_MUTANT), and the test that is to notice is run: it has to
fail. With all guards in their places the same tests have to pass. Exits 1 when a guard can be left out unnoticed.
  --only  this guard alone
  --list  what there is, without running anything
`)
  process.exit(0)
}

/** One guard, and what its test said. */
interface Row {
  guard: Guard
  hazard: string
  file: string
  test: string
  /** With all guards in their places. */
  with: Verdict
  without: Verdict
}

/** Runs at once: each waits for the start of its vitest for much of its time. */
const TOGETHER = 2

const known = Object.keys(guards) as Guard[]
const chosen = known.filter((guard) => flags.only === undefined || guard === flags.only)
if (chosen.length === 0) {
  process.stderr.write(`there is no guard ${flags.only}; there are ${known.join(', ')}\n`)
  process.exit(2)
}
if (flags.list) {
  process.stdout.write(`${formatColumns(chosen.map((guard) => [guard, guards[guard], catchers[guard].test]))}\n`)
  process.exit(0)
}
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const started = performance.now()
const folder = await mkdtemp(path.join(tmpdir(), 'millrace-mutants-'))
const rows: Row[] = []
try {
  await using postgres = await startPostgres({ onProgress: say })
  const common = { postgresUrl: postgres.url }
  say(`${chosen.length} guards: first their tests with all of them in place`)
  const whole = await runTests({
    ...common,
    tests: chosen.map((guard) => catchers[guard]),
    outputFile: path.join(folder, 'whole.json'),
  })
  const left = [...chosen.entries()]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, guard] = next
      const tests = [catchers[guard]]
      const outputFile = path.join(folder, `${guard}.json`)
      const [without] = await runTests({ ...common, tests, without: guard, outputFile })
      const row = { guard, hazard: guards[guard], ...catchers[guard], with: whole[index]!, without: without! }
      rows[index] = row
      say(`  ${guard}: ${howItEnded(row)}`)
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, work))
} finally {
  await rm(folder, { recursive: true, force: true })
}

const missed = rows.filter((row) => !isCaught(row))
if (flags.json) process.stdout.write(`${JSON.stringify({ rows: rows.map(withVerdict) }, null, 2)}\n`)
else process.stdout.write(`\n${table()}\n\n${summary()}\n`)
process.exit(missed.length > 0 ? 1 : 0)

/** Noticed: without the guard what the test expects does not hold, or does not come to pass; with it, all is well. */
function isCaught(row: Row): boolean {
  return row.with.status === 'passed' && row.without.status === 'failed' && isExpectation(row.without.failure)
}

/** All else that ends a test, such as a service that cannot be started, says nothing about the guard. */
function isExpectation(failure = ''): boolean {
  return /^(AssertionError|TestTimeoutError|Error: promise resolved .* instead of rejecting)/.test(failure)
}

function withVerdict(row: Row): Row & { caught: boolean } {
  return { ...row, caught: isCaught(row) }
}

function howItEnded(row: Row): string {
  if (isCaught(row)) return row.without.failure ?? ''
  if (row.with.status !== 'passed') return `NOT SHOWN: with the guard its test ${row.with.status}`
  if (row.without.status === 'failed') return `NOT SHOWN: ${row.without.failure}`
  return row.without.status === 'passed' ? 'NOT NOTICED: its test passed' : 'NOT SHOWN: its test did not run'
}

function table(): string {
  const head = ['guard', 'without it', 'caught by', 'how it failed']
  return formatColumns([head, ...rows.map((row) => [row.guard, row.hazard, row.test, short(howItEnded(row))])])
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

function summary(): string {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0)
  const caught = `${rows.length - missed.length} of ${rows.length} guards are caught, in ${seconds} s`
  return missed.length === 0 ? caught : `${caught}; not: ${missed.map(({ guard }) => guard).join(', ')}`
}
