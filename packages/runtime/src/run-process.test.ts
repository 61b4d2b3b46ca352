import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-runtime-'))
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module', version: '4.5.6' }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const indexUrl = new URL('index.ts', import.meta.url).href

/** Starts a process whose main is the given code. */
async function start(main: string, env: Record<string, string> = {}, args: string[] = []) {
  const file = path.join(folder, `${crypto.randomUUID()}.mjs`)
  await writeFile(
    file,
    `import { runProcess, defineConfig, processVariables, integer } from ${JSON.stringify(indexUrl)}
     const definition = defineConfig({
       ...processVariables({ metricsPort: 0 }),
       INDEXER_SIZE: { schema: integer(), default: '1', help: 'How big' },
     })
     await runProcess('indexer', definition, async ({ signal, config }) => { ${main} })`,
  )
  const child = spawn(process.execPath, ['--conditions=@millrace/source', file, ...args], {
    env: { PATH: process.env['PATH'], METRICS_HOST: '127.0.0.1', ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => (output.stdout += String(data)))
  child.stderr.on('data', (data) => (output.stderr += String(data)))
  return { child, output, exited: once(child, 'close') as Promise<[number | null, string | null]> }
}

async function printed(child: ChildProcess, text: string, output: { stdout: string }): Promise<void> {
  while (!output.stdout.includes(text)) await once(child.stdout ?? child, 'data')
}

const forever = `const timer = setInterval(() => {}, 1e6); await new Promise((resolve) => signal.addEventListener('abort', resolve));`

describe('runProcess', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 after %s, also when it comes twice', async (signal) => {
    // The timer is left behind on purpose: it must not keep the process.
    const { child, output, exited } = await start(forever)
    await printed(child, 'started', output)
    child.kill(signal)
    child.kill(signal)
    expect(await exited).toEqual([0, null])
    expect(output.stderr).toBe('')
  })

  test('ends with 2 and one line for bad configuration', async () => {
    const { output, exited } = await start(forever, { INDEXER_SIZE: '12ab' })
    expect(await exited).toEqual([2, null])
    expect(output).toEqual({ stdout: '', stderr: 'indexer: INDEXER_SIZE is "12ab", expected a whole number from 0\n' })
  })

  test.each([
    [`throw new Error('no')`, 'indexer: no\n'],
    [`setTimeout(() => { throw new Error('no') }, 1); ${forever}`, 'indexer: an error was not caught: no\n'],
    [`void Promise.reject(new Error('no')); ${forever}`, 'indexer: a rejection was not handled: no\n'],
  ])('ends with 1 and one line for: %s', async (main, line) => {
    const { output, exited } = await start(main)
    expect(await exited).toEqual([1, null])
    expect(output.stderr).toBe(line)
    expect(output.stdout).toContain('"level":"error"')
  })

  test('knows the version of the package that it runs', async () => {
    const { output, exited } = await start('', {}, ['--version'])
    await exited
    expect(output.stdout).toBe('4.5.6\n')
  })
})
