import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startProcess } from './testing/start-process.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-runtime-'))
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type: 'module', version: '4.5.6' }))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const indexUrl = new URL('index.ts', import.meta.url).href

/** Starts a process whose main is the given code. */
async function start(body: string, options: { env?: Record<string, string>; args?: string[] } = {}) {
  const main = path.join(folder, `${crypto.randomUUID()}.mjs`)
  await writeFile(
    main,
    `import { runProcess, defineConfig, processVariables, integer } from ${JSON.stringify(indexUrl)}
     const definition = defineConfig({
       ...processVariables({ metricsPort: 0 }),
       INDEXER_SIZE: { schema: integer(), default: '1', help: 'How big' },
     })
     await runProcess('indexer', definition, async ({ signal, config }) => { ${body} })`,
  )
  return startProcess({ main, ...options })
}

const untilStopped = `setInterval(() => {}, 1e6); await new Promise((done) => signal.addEventListener('abort', done));`

describe('runProcess', { timeout: 120_000 }, () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 after %s, also when it comes twice', async (signal) => {
    // The timer is left behind on purpose: it must not keep the process.
    await using child = await start(untilStopped)
    await child.metricsPort()
    child.kill(signal)
    child.kill(signal)
    expect([await child.ended, child.output().stderr]).toEqual([0, ''])
  })

  test('ends with 2 and one line for bad configuration', async () => {
    await using child = await start(untilStopped, { env: { INDEXER_SIZE: '12ab' } })
    expect(await child.ended).toBe(2)
    expect(child.output()).toEqual({
      stdout: '',
      stderr: 'indexer: INDEXER_SIZE is "12ab", expected a whole number from 0\n',
    })
  })

  test.each([
    { what: 'main throws', body: `throw new Error('no')`, line: 'indexer: no\n' },
    {
      what: 'nobody catches an error',
      body: `setTimeout(() => { throw new Error('no') }, 1); ${untilStopped}`,
      line: 'indexer: an error was not caught: no\n',
    },
    {
      what: 'nobody handles a rejection',
      body: `void Promise.reject(new Error('no')); ${untilStopped}`,
      line: 'indexer: a rejection was not handled: no\n',
    },
  ])('ends with 1 and one line when $what', async ({ body, line }) => {
    await using child = await start(body)
    expect(await child.ended).toBe(1)
    expect(child.output().stderr).toBe(line)
    expect(child.output().stdout).toContain('"level":"error"')
  })

  test('knows the version of the package that it runs', async () => {
    await using child = await start('', { args: ['--version'] })
    await child.ended
    expect(child.output().stdout).toBe('4.5.6\n')
  })
})
