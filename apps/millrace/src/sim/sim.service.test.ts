import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FaultList } from '@millrace/dev-network'
import { startProcess } from '@millrace/runtime/testing'
import { eventually, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { controlFile } from './ask-control.ts'

const main = path.join(import.meta.dirname, '../main.ts')

serviceTest(
  'faults of a simulated network are set and cleared from another terminal while it runs',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stack = new AsyncDisposableStack()
    const data = await mkdtemp(path.join(tmpdir(), 'millrace-sim-'))
    stack.defer(() => rm(data, { recursive: true, force: true }))
    const fault = async (...args: string[]) => {
      await using started = startProcess({ main, args: ['sim', 'fault', ...args, '--data', data] })
      return { code: await started.ended, ...started.output() }
    }
    const up = stack.use(
      startProcess({
        main,
        args: ['up', '--data', data, '--accounts', '4', '--records', '3', '--rate', '1', '--admin-port', '0'],
        env: { REDIS_URL: redisUrl, DB_POSTGRES_URL: databaseUrl },
      }),
    )
    // Who else is on this machine may not read it.
    await eventually(async () => expect((await stat(controlFile(data))).mode & 0o777).toBe(0o600), {
      timeoutMs: 90_000,
    })

    const listed = await fault('list', '--json')
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    const { faults, hosts } = JSON.parse(listed.stdout) as FaultList
    expect(faults).toEqual([])
    const [pds = ''] = hosts
    const repos = await (await fetch(`${pds}/xrpc/com.atproto.sync.listRepos`)).json()
    const { did } = (repos as { repos: { did: string }[] }).repos[0]!
    const getRepo = async () => (await fetch(`${pds}/xrpc/com.atproto.sync.getRepo?did=${did}`)).status
    expect(await getRepo()).toBe(200)

    const [set, held, stranger, unknown] = await Promise.all([
      fault('set', pds, 'throttled', '--retry-after', '3'),
      fault('set', 'relay', 'hold'),
      fault('set', 'nobody.test', 'error'),
      fault('set', pds, 'bored'),
    ])
    expect(set).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`To take it back: millrace sim fault clear ${pds}`),
    })
    expect(held).toMatchObject({ code: 0, stdout: expect.stringContaining('until it is cleared') })
    expect(stranger).toMatchObject({ code: 2, stderr: 'millrace: nobody.test is no account or PDS of this network\n' })
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Allowed choices are not-found') })
    expect(await getRepo()).toBe(429)
    expect((await fault()).stdout).toMatch(/throttled +until it is cleared\nrelay +hold/)

    expect(await fault('clear')).toMatchObject({ code: 0, stdout: 'All is well.\n' })
    expect(await getRepo()).toBe(200)
    up.kill('SIGTERM')
    expect(await up.ended).toBe(0)
    expect(await fault('list')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`no \`millrace up\` with a simulated network runs in ${data}`),
    })
  },
)
