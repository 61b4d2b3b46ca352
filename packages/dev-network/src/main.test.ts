import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, test } from 'vitest'
import { collectFrames } from './collect-frames.ts'
import { must } from './testing/client.ts'

const main = path.join(import.meta.dirname, 'main.ts')
const fixture = path.join(import.meta.dirname, '../../../fixtures/network-basic')

test.each([
  { name: 'a simulated network', args: ['--accounts', '3', '--records', '2', '--rate', '50'] },
  { name: 'a recorded network', args: ['--recording', fixture] },
])('the command starts $name and says where it is', { timeout: 120_000 }, async ({ args }) => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  try {
    let output = ''
    for await (const chunk of child.stdout) {
      output += String(chunk)
      if (output.includes('MILLRACE_ALLOW_PRIVATE_HOSTS=1\n')) break
    }
    const [json, ...environment] = output.trim().split('\n')
    const { relayUrl, plcUrl, head } = JSON.parse(must(json)) as { relayUrl: string; plcUrl: string; head: number }
    expect(environment).toContain(`export INGESTER_HOSTS=${relayUrl}`)
    expect(environment).toContain(`export DID_PLC_URL=${plcUrl}`)
    expect(await collectFrames({ host: relayUrl, cursor: 0, count: head })).toHaveLength(head)
  } finally {
    child.kill('SIGTERM')
  }
  expect(await exited).toEqual([0, null])
})

test('the command explains itself', { timeout: 120_000 }, async () => {
  const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks: string[] = []
  for await (const chunk of child.stdout) chunks.push(String(chunk))
  expect(chunks.join('')).toContain('--recording <folder>')
})
