import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger, type Logger } from '@millrace/stream-protocol'
import { expect, test as base } from 'vitest'
import { Health } from './health.ts'
import { ServiceManager } from './service-manager.ts'

/** Polls wait for a second unless told otherwise, which is little on a machine that is busy. */
const patient = { timeout: 20_000 }

/** A `systemd-notify` that writes down what it is told. */
const test = base.extend<{ systemd: { env: Record<string, string>; told: () => Promise<string[]> } }>({
  systemd: async ({ task }, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), `millrace-${task.id}-`))
    const file = path.join(folder, 'told')
    await writeFile(file, '')
    const command = path.join(folder, 'systemd-notify')
    await writeFile(command, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${file}\n`)
    await chmod(command, 0o755)
    const PATH = `${folder}:${process.env['PATH']}`
    await use({
      env: { PATH, NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000' },
      told: async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1),
    })
    await rm(folder, { recursive: true })
  },
})

test('systemd is told that a process is ready once its loops run, and that it is alive while they get on (G11)', async ({
  systemd: { env, told },
}) => {
  const health = new Health()
  health.add('store', () => 'it is slow')
  const stop = new AbortController()
  const running = ServiceManager.of({ env, health, logger: silentLogger, startMs: 1 })!.run(stop.signal)
  let stuck: string | undefined
  try {
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await told()).toEqual([])

    health.running(() => stuck)
    await expect.poll(async () => (await told()).length, patient).toBeGreaterThan(2)
    const status = '--status=degraded; store: it is slow'
    expect((await told()).slice(0, 2)).toEqual([`/run/notify --ready ${status}`, `/run/notify WATCHDOG=1 ${status}`])

    // The watchdog is not fed by a loop that takes no step.
    stuck = 'indexer firehose_live'
    const complaint = `/run/notify --status=${stuck} has work in hand and takes no step`
    await expect.poll(async () => (await told()).at(-1), patient).toBe(complaint)
    const count = (await told()).length
    await expect.poll(async () => (await told()).length, patient).toBeGreaterThan(count + 2)
    expect((await told()).slice(count)).not.toContainEqual(expect.stringContaining('WATCHDOG'))
  } finally {
    health.stopping()
    stop.abort()
    await running
  }
  expect((await told()).at(-1)).toBe('/run/notify STOPPING=1 --status=finishing what is in hand')
})

test('nobody is told where nobody asks', () => {
  expect(ServiceManager.of({ env: {}, health: new Health(), logger: silentLogger })).toBeUndefined()
})

test('a machine without systemd-notify is warned of once', async ({ systemd: { env } }) => {
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) }
  const health = new Health()
  health.running(() => undefined)
  const stop = new AbortController()
  const manager = ServiceManager.of({ env: { ...env, PATH: '/nowhere' }, health, logger, startMs: 1 })!
  const running = manager.run(stop.signal)
  try {
    await expect.poll(() => warnings, patient).toHaveLength(1)
    await new Promise((resolve) => setTimeout(resolve, 40))
  } finally {
    stop.abort()
    await running
  }
  expect(warnings).toEqual(['cannot tell systemd how this process stands'])
})
