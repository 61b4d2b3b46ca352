import path from 'node:path'
import { adminConfig, createAdminServer, describePipeline } from '@millrace/admin'
import { PostgresLedger, registerUpstreams } from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { Health, readConfig } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { cursorKey, groups, hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { expect } from 'vitest'

const stream = streams.firehoseLive

/** Runs the command in a process of its own. */
async function millrace(env: Record<string, string>, ...args: string[]) {
  await using started = startProcess({ main: path.join(import.meta.dirname, '../main.ts'), args, env })
  return { code: await started.ended, ...started.output() }
}

/** A network, and stores that know of it and hold nothing. */
async function open(redisUrl: string, databaseUrl: string) {
  await using stack = new AsyncDisposableStack()
  const network = stack.use(await startSimulatedNetwork({ accounts: 2, recordsPerAccount: 3, labels: 0, time: 'real' }))
  const store = stack.use(await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' }))
  const database = stack.use(await openMigratedDatabase({ url: databaseUrl }))
  const host = hostWithoutScheme(network.relayUrl)
  await registerUpstreams(database, [{ host, stream, url: network.relayUrl }])
  await store.ensureGroup(stream, groups.firehose)
  await store.cursors.set(cursorKey(stream, host), '3')
  const env = {
    REDIS_URL: redisUrl,
    DB_POSTGRES_URL: databaseUrl,
    DID_PLC_URL: network.plcUrl,
    HANDLE_RESOLVER_URL: network.handleResolverUrl,
    MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
  }
  const owned = stack.move()
  return { network, store, database, host, env, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

serviceTest(
  'commands ask the admin server, and say what they changed and how to take it back',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stores = await open(redisUrl, databaseUrl)
    const { store, database, host, network } = stores
    const config = readConfig(adminConfig, stores.env)
    await using server = await createAdminServer({
      port: 0,
      bind: '127.0.0.1',
      passwords: ['one', 'two'],
      sources: { ...describePipeline(config, { bind: '127.0.0.1', hasPassword: true }), store, database },
      health: new Health(),
      version: '0.0.0',
    })
    const env = { MILLRACE_ADMIN_URL: `http://127.0.0.1:${server.port}`, ADMIN_PASSWORDS: 'one,two' }
    const [status, trace, lag, unknown, refused, repo, verified, nobody] = await Promise.all([
      millrace(env, 'status'),
      millrace(env, 'trace', network.account(0).handle, '--json'),
      millrace(env, 'lag'),
      millrace(env, 'trace', 'nobody.test'),
      millrace({ ...env, ADMIN_PASSWORDS: 'three' }, 'status'),
      millrace(env, 'repos', network.account(0).handle),
      millrace(env, 'repos', network.account(0).handle, '--verify', '--json'),
      millrace(env, 'repos', '--verify'),
    ])
    expect(status).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^ok: nothing to look at\n/) })
    // Nothing of it is here, and nothing would bring it: somebody has to do something.
    expect(trace.code).toBe(1)
    expect(JSON.parse(trace.stdout)).toMatchObject({ did: network.account(0).did, verdict: { code: 'missing' } })
    expect(lag).toMatchObject({ code: 0, stdout: expect.stringContaining(host) })
    expect(unknown).toMatchObject({ code: 2, stderr: 'millrace: nobody.test leads to no account\n' })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('set ADMIN_PASSWORDS') })
    const { did } = network.account(0)
    expect(repo).toMatchObject({ code: 2, stderr: `millrace: nothing is known of ${did}\n` })
    expect(verified.code).toBe(1)
    expect(JSON.parse(verified.stdout)).toMatchObject({ did, missing: network.account(0).records().length })
    expect(nobody).toMatchObject({ code: 2, stderr: expect.stringContaining('say which') })

    const set = ['cursor', 'set', host, '--to', '4', '--reason', 'a test']
    const plan = await millrace(env, ...set)
    expect(plan).toMatchObject({ code: 4, stdout: expect.stringMatching(/^Would change: .* 3 to 4; .*with --yes/) })
    expect(await store.cursors.get(cursorKey(stream, host))).toBe('3')
    const moved = await millrace(env, ...set, '--expect', '9', '--yes')
    expect(moved).toMatchObject({ code: 4, stderr: expect.stringContaining('not what was expected') })
    const done = await millrace(env, ...set, '--yes')
    expect(done).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`To take it back: millrace cursor set ${host}`),
    })
    expect(await store.cursors.get(cursorKey(stream, host))).toBe('4')
    const audit = await millrace(env, 'audit')
    expect(audit.stdout).toMatch(/admin from 127\.0\.0\.1: setCursor .* \(a test\)\n {4}"3" -> "4"\n/)
  },
)

serviceTest(
  'without a server they ask the stores, and a doctor tells which of them is away',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stores = await open(redisUrl, databaseUrl)
    const { env, database } = stores
    await new PostgresLedger({ database }).markDirty([{ did: 'did:plc:abc', reason: 'gap' }])
    const [doctor, broken, repos, away, wrong] = await Promise.all([
      millrace(env, 'doctor', '--direct', '--all'),
      millrace({ ...env, REDIS_URL: 'redis://127.0.0.1:1' }, 'doctor', '--direct', '--json'),
      millrace(env, 'repos', '--direct'),
      millrace(env, 'status', '--admin', 'http://127.0.0.1:1'),
      millrace(env, 'repos', '--state', 'lost'),
    ])
    expect(doctor.stdout).toContain('ok     Hosts answer')
    expect(broken.code).toBe(1)
    const { checks } = JSON.parse(broken.stdout) as { checks: { id: string; verdict: string }[] }
    expect(checks[0]).toMatchObject({ id: 'store-reachable', verdict: 'fail' })
    expect(repos).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('did:plc:abc') })
    expect(away).toMatchObject({ code: 3, stderr: expect.stringContaining('--direct asks the stores themselves') })
    expect(wrong.code).toBe(2)
  },
)

serviceTest(
  'where nothing is named, that is said, and no store is called away',
  { timeout: 180_000 },
  async ({ databaseUrl }) => {
    const [status, dlq, half] = await Promise.all([
      millrace({}, 'status', '--direct', '--data', '/tmp/millrace-none'),
      millrace({}, 'dlq', '--direct', '--data', '/tmp/millrace-none'),
      millrace({ DB_POSTGRES_URL: databaseUrl }, 'status', '--direct', '--data', '/tmp/millrace-none'),
    ])
    for (const each of [status, dlq])
      expect(each).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /^millrace: nobody to ask: .*MILLRACE_ADMIN_URL.*REDIS_URL.* \/tmp\/millrace-none /,
        ),
      })
    expect(half).toMatchObject({ code: 1, stdout: expect.stringContaining('neither REDIS_URL nor REDIS_HOST is set') })
  },
)
