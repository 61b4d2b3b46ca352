import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startProcess } from '@millrace/runtime/testing'
import { serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import type { Summary } from './summary.ts'

const main = path.join(import.meta.dirname, '../main.ts')
const network = ['--accounts', '8', '--records', '15', '--events', '40', '--admin-port', '0']

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-up-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test(
  'indexes a simulated network with stores of its own, and a second start finds it all there',
  { timeout: 240_000 },
  async () => {
    await withFolder(async (folder) => {
      const run = async (): Promise<Summary> => {
        await using up = startProcess({
          main,
          args: ['up', '--exit-when-idle', '--json', '--data', path.join(folder, 'data'), ...network],
          env: {
            HOME: folder,
            XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? path.join(process.env['HOME'] ?? folder, '.cache'),
          },
        })
        const code = await up.ended
        expect({ code, stderr: up.output().stderr }).toMatchObject({ code: 0 })
        return JSON.parse(up.output().stdout) as Summary
      }
      const first = await run()
      expect(first).toMatchObject({
        idle: true,
        repos: { listed: 8, backfilled: 8, givenUp: 0 },
        events: { streamed: 40 },
        deadLetters: {},
        dirty: 0,
        gaps: 0,
      })
      expect(first.rows['actor']).toBe(8)
      expect(first.rows['record']).toBe(Object.values(first.records).reduce((sum, count) => sum + count, 0))
      expect(first.rows['post']).toBe(first.records['app.bsky.feed.post'])
      const second = await run()
      expect(second).toMatchObject({ idle: true, records: first.records, rows: first.rows })
      expect(await readFile(path.join(folder, 'data/millrace.log'), 'utf8')).toContain('all repos are listed')
    })
  },
)

serviceTest(
  'uses a Redis and a Postgres that are configured, and stops on SIGTERM',
  { timeout: 180_000 },
  async ({ redisUrl, databaseUrl }) => {
    await withFolder(async (folder) => {
      await using up = startProcess({
        main,
        args: ['up', '--json', '--data', folder, ...network],
        env: { REDIS_URL: redisUrl, DB_POSTGRES_URL: databaseUrl },
      })
      const url = await statusUrl(() => up.output().stderr)
      const status = (await (await fetch(url)).json()) as { store: { kind: string } }
      expect(status.store.kind).toBe('redis')
      up.kill('SIGTERM')
      expect(await up.ended).toBe(0)
      expect(JSON.parse(up.output().stdout)).toMatchObject({ streams: expect.stringContaining('redis') })
    })
  },
)

test.each([
  { args: ['up', '--network', 'moon'], says: /--network <kind>.*Allowed choices are sim, live/ },
  {
    args: ['up', '--streams', 'redis', '--data', '/tmp/millrace-none'],
    says: /MILLRACE_STREAMS is "redis", but neither REDIS_URL nor REDIS_HOST is set/,
  },
  { args: ['down'], says: /unknown command 'down'/ },
])('$args is refused with exit code 2', { timeout: 120_000 }, async ({ args, says }) => {
  await using up = startProcess({ main, args: [...args] })
  expect(await up.ended).toBe(2)
  expect(up.output().stderr).toMatch(says)
})

async function statusUrl(stderr: () => string): Promise<string> {
  for (;;) {
    const found = /status: (http\S+)/.exec(stderr())
    if (found?.[1] !== undefined) return found[1]
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
