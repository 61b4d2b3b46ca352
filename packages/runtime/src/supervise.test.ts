import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sleep } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { integer } from './config-values.ts'
import { ConfigError } from './config-error.ts'
import { defineConfig } from './config.ts'
import { supervise, type Host, type HostEvent, type Main } from './supervise.ts'
import { processVariables } from './variables.ts'

const definition = defineConfig({
  ...processVariables({ metricsPort: 0 }),
  INGESTER_COUNT: { schema: integer({ min: 1 }), default: '2', help: 'How many' },
  INGESTER_SIZE: { schema: integer({ min: 1 }), help: 'How big' },
})

function fakeHost({ args = [], env = {} }: { args?: string[]; env?: Record<string, string> }) {
  const listeners = new Map<HostEvent, (value: unknown) => void>()
  const exits = Promise.withResolvers<number>()
  let stdout = ''
  let stderr = ''
  const host: Host = {
    args,
    env: { METRICS_HOST: '127.0.0.1', INGESTER_SIZE: '1', ...env },
    version: '1.2.3',
    isTerminal: false,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    on: (event, listener) => listeners.set(event, listener),
    off: (event) => listeners.delete(event),
    exit: (code) => exits.resolve(code),
  }
  return {
    host,
    emit: (event: HostEvent, value?: unknown) => listeners.get(event)?.(value),
    exited: exits.promise,
    listeners,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
  }
}

type TestMain = Main<typeof definition>
const untilStopped: TestMain = ({ signal }) => sleep(1e6, signal)

describe('supervise', () => {
  test('gives main its configuration, and ends with 0 when main is done', async () => {
    const fake = fakeHost({ env: { INGESTER_COUNT: '7' } })
    let count = 0
    const code = await supervise(fake.host, 'ingester', definition, async ({ config }) => {
      count = config.INGESTER_COUNT
    })
    expect([code, count, fake.stderr]).toEqual([0, 7, ''])
    expect(fake.listeners.size).toBe(0)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it with 0, and readiness says so', async (signal) => {
    const fake = fakeHost({})
    const code = await supervise(fake.host, 'ingester', definition, async (context) => {
      context.health.add('store', () => undefined)
      fake.emit(signal)
      await untilStopped(context)
      expect((await context.health.report()).status).toBe('stopping')
    })
    expect([code, fake.stderr]).toEqual([0, ''])
  })

  test('an abort error on the way out is no failure', async () => {
    const fake = fakeHost({})
    const code = await supervise(fake.host, 'ingester', definition, async ({ signal }) => {
      fake.emit('SIGTERM')
      signal.throwIfAborted()
    })
    expect(code).toBe(0)
  })

  test('bad configuration is 2 and one line for each problem', async () => {
    const fake = fakeHost({ env: { INGESTER_SIZE: '', INGESTER_COUNT: 'x' } })
    expect(await supervise(fake.host, 'ingester', definition, untilStopped)).toBe(2)
    expect(fake.stderr).toBe(
      'ingester: INGESTER_COUNT is "x", expected a whole number from 1\n' +
        'ingester: INGESTER_SIZE is not set: How big (a whole number from 1)\n',
    )
    expect(fake.stdout).toBe('')
  })

  test('main may refuse its configuration too', async () => {
    const fake = fakeHost({})
    const refuse: TestMain = () => Promise.reject(new ConfigError(['no store']))
    expect(await supervise(fake.host, 'ingester', definition, refuse)).toBe(2)
    expect(fake.stderr).toBe('ingester: no store\n')
  })

  test('a failure is 1, one line on standard error and a log line with the stack', async () => {
    const fake = fakeHost({})
    const fail: TestMain = () => Promise.reject(new Error('lost postgres://u:hunter2@db', { cause: new Error('why') }))
    expect(await supervise(fake.host, 'ingester', definition, fail)).toBe(1)
    expect(fake.stderr).toBe('ingester: lost postgres://***@db: why\n')
    expect(fake.stdout).toContain('supervise.test.ts')
    expect(fake.stdout).not.toContain('hunter2')
  })

  test('a metrics port in use is 1 and one line', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const fake = fakeHost({ env: { METRICS_PORT: String(port) } })
    const code = await supervise(fake.host, 'ingester', definition, untilStopped).finally(() => other.close())
    expect(code).toBe(1)
    expect(fake.stderr).toBe(
      `ingester: cannot listen on 127.0.0.1:${port}: another process listens there: ` +
        `listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`,
    )
  })

  test('signals that come at once are one signal; a later one ends the process (M10)', async () => {
    const fake = fakeHost({})
    let exited: number | undefined
    const options = { sameSignalMs: 300 }
    const code = await supervise(
      fake.host,
      'ingester',
      definition,
      async () => {
        fake.emit('SIGINT')
        fake.emit('SIGINT')
        fake.emit('SIGTERM')
        exited = await Promise.race([fake.exited, sleep(10).then(() => undefined)])
        await sleep(320)
        fake.emit('SIGINT')
      },
      options,
    )
    expect([exited, code, await fake.exited]).toEqual([undefined, 0, 130])
  })

  test('a main that does not stop is ended after its time (M10)', async () => {
    const fake = fakeHost({})
    const release = Promise.withResolvers<void>()
    const run = supervise(fake.host, 'ingester', definition, () => release.promise, { stopMs: 10 })
    while (!fake.listeners.has('SIGTERM')) await sleep(1)
    fake.emit('SIGTERM')
    expect(await fake.exited).toBe(1)
    expect(fake.stderr).toBe('ingester: did not stop within 0.01 s, ended\n')
    release.resolve()
    await run
  })

  test.each(['uncaughtException', 'unhandledRejection'] as const)('%s ends the process with 1', async (event) => {
    const fake = fakeHost({})
    await supervise(fake.host, 'ingester', definition, async () => {
      fake.emit(event, new Error('oh'))
    })
    expect(await fake.exited).toBe(1)
    expect(fake.stderr).toMatch(/^ingester: .* not (caught|handled): oh\n$/)
  })

  test('--help lists the variables, --version the version, and anything else is 2', async () => {
    const help = fakeHost({ args: ['--help'], env: { INGESTER_SIZE: '' } })
    expect(await supervise(help.host, 'ingester', definition, untilStopped)).toBe(0)
    expect(help.stdout).toContain('Usage: millrace-ingester')
    expect(help.stdout).toContain('INGESTER_COUNT  (default: 2)')
    const version = fakeHost({ args: ['--version'] })
    expect(await supervise(version.host, 'ingester', definition, untilStopped)).toBe(0)
    expect(version.stdout).toBe('1.2.3\n')
    const wrong = fakeHost({ args: ['--hlep'] })
    expect(await supervise(wrong.host, 'ingester', definition, untilStopped)).toBe(2)
    expect(wrong.stderr).toMatch(/unknown argument "--hlep"/)
  })

  test('serves its health and warns of a variable that nobody reads', async () => {
    const fake = fakeHost({ env: { INGESTER_COUNTS: '3' } })
    let body = ''
    await supervise(fake.host, 'ingester', definition, async () => {
      const port = /"port":(\d+)/.exec(fake.stdout)?.[1]
      body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    })
    expect(body).toContain('millrace_build_info{role="ingester",version="1.2.3"} 1')
    expect(fake.stdout).toContain('did you mean INGESTER_COUNT?')
  })
})
