import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Environment } from '@millrace/runtime'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../run-command.testing.ts'
import { runConfigCheck, runConfigPrint, type ConfigOptions } from './run-config.ts'

const good = {
  INDEXER_CONSUMER: 'indexer-1',
  BACKFILLER_CONSUMER: 'backfiller-1',
  INGESTER_HOSTS: 'https://relay.example',
  REDIS_URL: 'redis://millrace:s3cret@redis.example:6379',
  DB_POSTGRES_URL: 'postgres://millrace:s3cret@db.example/appview',
}
const options: ConfigOptions = { roles: [], envFiles: [], json: false }
const check = (env: Environment, changed: Partial<ConfigOptions> = {}) =>
  runCommand(env, (host) => runConfigCheck({ ...options, ...changed }, host))
const print = (env: Environment, changed: Partial<ConfigOptions> = {}) =>
  runCommand(env, (host) => runConfigPrint({ ...options, ...changed }, host))

describe('millrace config check', () => {
  test('finds nothing where every process would start', async () => {
    const { code, stdout } = await check(good)
    expect(stdout.split('\n').map((line) => line.replace(/\d+ of its \d+/, 'N of its M'))).toEqual([
      ...['ingester', 'backfiller', 'indexer', 'admin'].map((role) => `${role}: good, N of its M variables are set`),
      '',
    ])
    expect(code).toBe(0)
  })

  test('says each problem once, with the processes that have it', async () => {
    const { code, stdout } = await check({ ...good, LOG_LEVEL: 'loud', INGESTER_HOSTS: '' })
    expect(code).toBe(1)
    expect(stdout).toContain('ingester, backfiller, indexer, admin: LOG_LEVEL is "loud", expected one of trace,')
    expect(stdout).toContain('ingester: INGESTER_HOSTS is not set: ')
  })

  test('takes a variable that nothing reads for a typing error', async () => {
    const { code, stdout } = await check({ ...good, INDEXER_COCURRENCY: '4', MILLRACE_DATADIR: '/var/lib' })
    expect(code).toBe(1)
    expect(stdout).toContain('INDEXER_COCURRENCY is not known: did you mean INDEXER_CONCURRENCY?')
    expect(stdout).toContain('MILLRACE_DATADIR is not known: did you mean MILLRACE_DATA_DIR?')
  })

  test('knows what has to hold between variables', async () => {
    const { DB_POSTGRES_URL: _, ...withoutDatabase } = good
    expect((await check({ ...withoutDatabase, INGESTER_REPOS: '/no/such/file' }, { roles: ['ingester'] })).stdout).toBe(
      "ingester: INGESTER_REPOS needs DB_POSTGRES_URL, where their repos are asked for\ningester: INGESTER_REPOS: ENOENT: no such file or directory, open '/no/such/file'\n",
    )
    const exposed = await check(
      { ...good, ADMIN_BIND: '0.0.0.0', ADMIN_PUBLIC_URL: 'https://admin.example' },
      { roles: ['admin'] },
    )
    expect(exposed.stdout.trimEnd().split('\n')).toEqual([
      'admin: ADMIN_BIND is "0.0.0.0", which others can reach: set ADMIN_PASSWORDS first',
      'admin: ADMIN_PUBLIC_URL is set, and ADMIN_SERVICE_DID is not the did:web of a host',
    ])
    expect((await check({ ...good, REDIS_URL: '', NODE_ENV: 'production' }, { roles: ['indexer'] })).stdout).toContain(
      'indexer: no stream store is configured',
    )
  })

  test('knows the processes by name', async () => {
    expect(await check(good, { roles: ['indexr'] })).toMatchObject({
      code: 2,
      stderr: 'millrace: "indexr" is no process: ingester, backfiller, indexer, admin are\n',
    })
  })
})

describe('millrace config print', () => {
  test('shows each value and where it is from, and no secret (M9)', async () => {
    const env = { ...good, INGESTER_VERIFY: 'yes', ADMIN_PASSWORDS: 's3cret', ADMIN_ALERT_WEBHOOKS: 'https://x/s3cret' }
    const { code, stdout } = await print(env)
    expect(code).toBe(0)
    expect(stdout).not.toContain('s3cret')
    const lines = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(lines).toContainEqual(['INGESTER_HOSTS', 'https://relay.example', 'environment'])
    expect(lines).toContainEqual(['DB_POSTGRES_URL', 'postgres://***@db.example/appview', 'environment'])
    expect(lines).toContainEqual(['ADMIN_PASSWORDS', '(hidden)', 'environment'])
    expect(lines).toContainEqual(['ADMIN_ALERT_WEBHOOKS', '(hidden)', 'environment'])
    expect(lines).toContainEqual(['INGESTER_COLLECTIONS', '*', 'default'])
    expect(lines).toContainEqual(['INGESTER_LABELER_HOSTS', 'not set'])
    expect(lines).toContainEqual([
      'INGESTER_VERIFY',
      'yes',
      'PROBLEM: INGESTER_VERIFY is "yes", expected one of integrity, signatures, off',
    ])
    // Neither do URLs that are hard to read.
    for (const url of ['postgres://u:s3cret@x@db.example/y', 'postgres://u:1/s3cret@db.example/y', 's3cret'])
      expect((await print({ ...good, DB_POSTGRES_URL: url })).stdout).not.toContain('s3cret')
  })

  test('reads files in place of the environment', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-config-'))
    try {
      const envFile = path.join(folder, 'millrace.env')
      await writeFile(envFile, '# of this host\nexport INGESTER_HOSTS="https://file.example"\nREDIS_HOST=redis\n')
      const another = path.join(folder, 'ingester.env')
      await writeFile(another, 'METRICS_PORT=4001\n')
      const { stdout } = await print(good, { roles: ['ingester'], envFiles: [envFile, another], json: true })
      const { roles } = JSON.parse(stdout) as { roles: { role: string; settings: { name: string }[] }[] }
      expect(roles.map(({ role }) => role)).toEqual(['ingester'])
      expect(roles[0]!.settings).toContainEqual(
        expect.objectContaining({ name: 'INGESTER_HOSTS', value: 'https://file.example', source: 'environment' }),
      )
      expect(roles[0]!.settings).toContainEqual(expect.objectContaining({ name: 'DB_POSTGRES_URL', source: 'unset' }))
      expect(roles[0]!.settings).toContainEqual(expect.objectContaining({ name: 'METRICS_PORT', value: '4001' }))
      expect(await print(good, { envFiles: [path.join(folder, 'none')] })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^millrace: --env-file: ENOENT/),
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
