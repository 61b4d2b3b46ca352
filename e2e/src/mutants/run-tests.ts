import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Guard } from '@millrace/failpoints'
import type { Catcher } from './catchers.ts'

const root = path.resolve(import.meta.dirname, '../../..')

export interface RunTestsOptions {
  tests: readonly Catcher[]
  /** What the tests have to do without. */
  without?: Guard
  /** Where Postgres is: it is started once for all runs. */
  postgresUrl: string
  /** A file that is not there yet. */
  outputFile: string
}

/** How one test ended; `failure` is the first line of what it said. */
export interface Verdict {
  status: 'passed' | 'failed' | 'did not run'
  failure?: string
}

interface Report {
  testResults: {
    name: string
    assertionResults: { title: string; status: string; failureMessages?: string[] }[]
  }[]
}

/** Runs these tests alone, in a vitest of their own. @returns how each ended, in order. */
export async function runTests({ tests, without, postgresUrl, outputFile }: RunTestsOptions): Promise<Verdict[]> {
  const files = new Set(tests.map(({ file }) => file))
  const names = new Set(tests.map(({ test }) => `${test.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)}$`))
  const options = ['--testNamePattern', [...names].join('|'), '--reporter', 'json', '--outputFile', outputFile]
  // With all guards in their places a test may be late once, on a busy machine. Without one, what never comes is not
  // waited for as long.
  if (without === undefined) options.push('--retry', '1')
  else options.push('--testTimeout', '30000')
  const vitest = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files, ...options], {
    cwd: root,
    env: { ...process.env, TEST_POSTGRES_URL: postgresUrl, ...(without && { MILLRACE_MUTANT: without }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  for (const stream of [vitest.stdout, vitest.stderr]) stream.on('data', (chunk: Buffer) => void said.push(chunk))
  await once(vitest, 'close')
  const report = await readFile(outputFile, 'utf8').catch(() => {
    throw new Error(`vitest has left no report:\n${Buffer.concat(said).toString()}`)
  })
  const { testResults } = JSON.parse(report) as Report
  return tests.map((test) => verdictOf(test, testResults))
}

function verdictOf({ file, test }: Catcher, results: Report['testResults']): Verdict {
  const found = results
    .filter(({ name }) => path.relative(root, name) === file)
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ title }) => title === test)
  if (found?.status === 'passed') return { status: 'passed' }
  if (found?.status !== 'failed') return { status: 'did not run' }
  return { status: 'failed', failure: found.failureMessages?.[0]?.split('\n', 1)[0] ?? '' }
}
