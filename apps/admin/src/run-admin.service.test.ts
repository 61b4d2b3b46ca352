import { fileURLToPath } from 'node:url'
import { ConfigError, readConfig, supervise, type Host } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { openStreams } from '@millrace/stores'
import { groups, streamEventCodec, streams } from '@millrace/stream-protocol'
import { eventually, serve, serviceTest } from '@millrace/testing'
import { FaultProxy } from '@millrace/testing/fault-proxy'
import { expect, test } from 'vitest'
import { adminConfig } from './config.ts'
import { configuredCursors } from './describe-pipeline.ts'
import { runAdmin } from './run-admin.ts'
import type { Status } from './status.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

serviceTest(
  'the process serves the status to who has the password, and stops with 0',
  { timeout: 120_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using admin = startProcess({
      main,
      env: {
        ADMIN_PORT: '0',
        ADMIN_BIND: '127.0.0.1',
        ADMIN_PASSWORDS: 'hunter2,hunter3',
        INGESTER_HOSTS: 'relay.example',
        REDIS_URL: redisUrl,
        DB_POSTGRES_URL: databaseUrl,
      },
    })
    const [, port] = await admin.printed(/"port":(\d+),"bind":"127\.0\.0\.1"/)
    const method = `http://127.0.0.1:${port}/xrpc/dev.millrace.admin.getStatus`
    expect((await fetch(method)).status).toBe(401)
    const authorization = `Basic ${Buffer.from('admin:hunter3').toString('base64')}`
    const answer = await fetch(method, { headers: { authorization } })
    expect(await answer.json()).toMatchObject({
      // Nobody has migrated the database yet, and that is not for a reader to do.
      status: 'failing',
      problems: [{ code: 'schema-behind', severity: 'page', command: 'millrace-indexer' }, { code: 'host-away' }],
      streams: [
        { name: 'firehose_live' },
        { name: 'firehose_backfill' },
        { name: 'repo_backfill' },
        { name: 'label_live' },
      ],
      cursors: [
        { stream: 'firehose_live', host: 'https://relay.example', done: false },
        { stream: 'repo_backfill', host: 'https://relay.example', done: false },
      ],
    })
    const own = `http://127.0.0.1:${await admin.metricsPort()}`
    // It serves, and says what is wrong once it has looked.
    await eventually(async () => {
      const ready = await fetch(`${own}/readyz`)
      expect([ready.status, await ready.json()]).toMatchObject([
        200,
        { status: 'degraded', checks: { pipeline: { reason: expect.stringContaining('schema-behind') } } },
      ])
    })
    const metrics = await (await fetch(`${own}/metrics`)).text()
    expect(metrics).toContain('millrace_problems{code="schema-behind",severity="page"} 1')
    expect(metrics).toContain('millrace_problems{code="dead-letters",severity="ticket"} 0')
    admin.kill('SIGTERM')
    expect([await admin.ended, admin.output().stderr]).toEqual([0, ''])
    expect(admin.output().stdout).not.toContain('hunter')
  },
)

serviceTest(
  'a group that stands still is told to a webhook without a database, and the dead-man URL is not asked for (O6)',
  { timeout: 180_000 },
  async ({ redisUrl }) => {
    const told: { alerts: { code: string; event: string; subject: string }[] }[] = []
    await using hook = await serve((request, response) => {
      request.setEncoding('utf8')
      request.on('data', (body: string) => told.push(JSON.parse(body) as (typeof told)[number]))
      request.on('end', () => response.end())
    })
    await using deadman = await serve((_request, response) => response.end())
    await using store = await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' })
    await store.ensureGroup(streams.firehoseLive, groups.firehose)
    const account = {
      type: 'account',
      seq: 1,
      time: '2026-01-01T00:00:00.000Z',
      did: 'did:plc:a',
      active: true,
    } as const
    await using admin = startProcess({
      main,
      env: {
        ADMIN_PORT: '0',
        ADMIN_STALLED_AFTER: '1s',
        ADMIN_ALERT_WEBHOOKS: `${hook.url}/s3cret`,
        ADMIN_DEADMAN_URL: `${deadman.url}/s3cret`,
        MILLRACE_HASTE: '120',
        REDIS_URL: redisUrl,
      },
    })
    await admin.printed(/admin server is open/)
    await eventually(() => expect(deadman.asked.length).toBeGreaterThan(1), { timeoutMs: 60_000 })
    await store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }).append([account])
    await eventually(
      () =>
        expect(told.flatMap(({ alerts }) => alerts)).toMatchObject([
          { code: 'group-stopped', event: 'open', subject: `${streams.firehoseLive} ${groups.firehose}` },
        ]),
      { timeoutMs: 60_000 },
    )
    const asked = deadman.asked.length
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(deadman.asked.length - asked).toBeLessThanOrEqual(1)
    admin.kill('SIGTERM')
    expect(await admin.ended).toBe(0)
    // URLs are secrets (M9).
    expect(admin.output().stdout).not.toContain('s3cret')
  },
)

serviceTest(
  'the process starts without its stores, says that they are away, and has them once they are there',
  { timeout: 180_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using redis = await FaultProxy.listen(redisUrl)
    await using postgres = await FaultProxy.listen(databaseUrl)
    for (const door of [redis, postgres]) door.refuses = true
    await using admin = startProcess({
      main,
      env: { ADMIN_PORT: '0', REDIS_URL: redis.url, DB_POSTGRES_URL: postgres.url },
    })
    const [, port] = await admin.printed(/"port":(\d+),"bind":"127\.0\.0\.1"/)
    const codes = async (): Promise<string[]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/xrpc/dev.millrace.admin.getStatus`)
      return ((await answer.json()) as Status).problems.map(({ code }) => code)
    }
    expect(await codes()).toEqual(expect.arrayContaining(['store-away', 'database-away']))
    for (const door of [redis, postgres]) door.refuses = false
    await eventually(async () => expect(await codes()).toEqual(['schema-behind']), { timeoutMs: 60_000 })
    admin.kill('SIGTERM')
    expect([await admin.ended, admin.output().stderr]).toEqual([0, ''])
  },
)

test('an address that others can reach is refused without a password (M1)', async () => {
  let stderr = ''
  const host: Host = {
    args: [],
    env: { ADMIN_BIND: '0.0.0.0', METRICS_PORT: '0', METRICS_HOST: '127.0.0.1' },
    version: '0.0.0',
    isTerminal: false,
    stdout: { write: () => true },
    stderr: { write: (text) => (stderr += text) },
    on: () => undefined,
    off: () => undefined,
    exit: () => undefined,
  }
  expect(await supervise(host, 'admin', adminConfig, runAdmin)).toBe(2)
  expect(stderr).toBe('admin: ADMIN_BIND is "0.0.0.0", which others can reach: set ADMIN_PASSWORDS first\n')
})

test('passwords do not show in a problem (M9)', () => {
  expect(() => readConfig(adminConfig, { ADMIN_PASSWORDS: ',' })).toThrow(ConfigError)
  expect(() => readConfig(adminConfig, { ADMIN_PASSWORDS: ',' })).toThrow('ADMIN_PASSWORDS is its value (hidden)')
})

test('the cursors that are shown are those an ingester with the same variables keeps', () => {
  const config = readConfig(adminConfig, { INGESTER_HOSTS: 'a.example', INGESTER_LABELER_HOSTS: 'l.example' })
  expect(configuredCursors(config)).toEqual([
    { stream: 'firehose_live', host: 'https://a.example' },
    { stream: 'repo_backfill', host: 'https://a.example' },
    { stream: 'label_live', host: 'https://l.example' },
  ])
})
