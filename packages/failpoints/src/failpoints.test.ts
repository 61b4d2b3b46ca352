import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const index = path.join(import.meta.dirname, 'index.ts')

function run(
  code: string,
  env: Record<string, string>,
): { status: number | null; signal: string | null; said: string } {
  const script = `import { failpoint, isGuarded } from ${JSON.stringify(index)}\n${code}`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })
  return { status, signal, said: `${stdout}${stderr}` }
}

describe('failpoints', () => {
  const passes = `for (let n = 1; n <= 3; n++) { console.log('before', n); failpoint('indexer.committed'); failpoint('indexer.read') }`

  test('do nothing unless asked', () => {
    expect(run(passes, {})).toEqual({ status: 0, signal: null, said: 'before 1\nbefore 2\nbefore 3\n' })
  })

  test('kill the process the n-th time that it comes by, and say before that they are armed', () => {
    const { signal, said } = run(passes, { MILLRACE_FAILPOINT: 'indexer.committed:2' })
    expect(signal).toBe('SIGKILL')
    expect(said).toContain('before 2')
    expect(said).not.toContain('before 3')
    expect(said).toContain('MILLRACE_FAILPOINT is set')
  })

  test('that there are not end the process with all that there are', () => {
    const { status, said } = run(passes, { MILLRACE_FAILPOINT: 'indexer.typo' })
    expect(status).toBe(1)
    expect(said).toContain('there is no indexer.typo; there are ingester.converted')
  })
})

test('guards are in their place unless a test does without one', () => {
  const code = `console.log(isGuarded('rev'))`
  expect(run(code, {}).said).toBe('true\n')
  expect(run(code, { MILLRACE_MUTANT: 'rev' }).said).toContain('false')
})
