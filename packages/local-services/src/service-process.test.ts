import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { isAlive } from './other-process.ts'
import { findProgram } from './programs.ts'

const module = JSON.stringify(new URL('service-process.ts', import.meta.url).href)
/** Starts a program that would run for a minute, says its id, and waits. */
const script = `
  const { ServiceProcess } = await import(${module})
  const service = await ServiceProcess.start({
    service: 'Redis', program: '/bin/sh', args: ['-c', 'echo ready; exec sleep 60'], env: {}, account: { prefix: [] },
    stopSignal: 'SIGTERM', isReady: (line) => line === 'ready',
  })
  console.log(service.pid)
  setInterval(() => {}, 1000)
`

test('a service ends with its parent, however that ends', async () => {
  await expectToEndWithParent(process.env['PATH'] ?? '')
})

test('the same where programs cannot ask the kernel for it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await symlink((await findProgram('sleep')) ?? 'sleep', path.join(folder, 'sleep'))
  await expectToEndWithParent(folder)
})

async function expectToEndWithParent(searchPath: string): Promise<void> {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: searchPath },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string]
  const service = Number(line)
  expect(isAlive(service)).toBe(true)
  parent.kill('SIGKILL')
  for (let attempt = 0; isAlive(service) && attempt < 3_000; attempt++) await wait(10)
  expect(isAlive(service)).toBe(false)
}
