import path from 'node:path'
import { adminConfig, createAdminServer, describePipeline } from '@millrace/admin'
import { Health, readConfig } from '@millrace/runtime'
import { startProcess } from '@millrace/runtime/testing'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { groups, streamEventCodec, streams, type StreamStore } from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { expect } from 'vitest'

const stream = streams.firehoseLive
const group = groups.firehose

/** Runs the command in a process of its own. */
async function millrace(env: Record<string, string>, ...args: string[]) {
  const main = path.join(import.meta.dirname, '../main.ts')
  await using started = startProcess({ main, args, env })
  return { code: await started.ended, ...started.output() }
}

/** A server over stores with events of four accounts, which two groups have not read. */
async function open(redisUrl: string, databaseUrl: string) {
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' }))
  const database = stack.use(await openMigratedDatabase({ url: databaseUrl, pipeline: true }))
  await store.ensureGroup(stream, group)
  await store.ensureGroup(stream, 'another')
  await store.writer({ stream, codec: streamEventCodec }).append(['a', 'b', 'c', 'd'].map(account))
  const described = describePipeline(readConfig(adminConfig, {}), { bind: '127.0.0.1', hasPassword: false })
  const sources = { ...described, store, database }
  const server = stack.use(
    await createAdminServer({ port: 0, passwords: [], sources, health: new Health(), version: '0.0.0' }),
  )
  const owned = stack.move()
  return {
    store,
    env: { MILLRACE_ADMIN_URL: `http://127.0.0.1:${server.port}` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function account(name: string) {
  const did = `did:plc:${name}`
  return { type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did, active: true } as const
}

async function idsOf(store: StreamStore): Promise<string[]> {
  return (await store.read(stream, { after: '0-0', limit: 10 })).map(({ id }) => id)
}

/** What each group has not acked. */
async function left(store: StreamStore): Promise<Record<string, number>> {
  const [status] = await store.status([stream])
  return Object.fromEntries(
    status!.groups.map(({ name, pending, undelivered }) => [name, pending + (undelivered ?? 0)]),
  )
}

serviceTest(
  'entries of a stream are shown, of one account too, and a part after the other',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stores = await open(redisUrl, databaseUrl)
    const { env, store } = stores
    const ids = await idsOf(store)
    const [some, rest, one, none, wrong, slip, other] = await Promise.all([
      millrace(env, 'entries', stream, '--limit', '2'),
      millrace(env, 'entries', stream, '--after', ids[1]!, '--json'),
      millrace({ REDIS_URL: redisUrl }, 'entries', stream, '--did', 'did:plc:b', '--direct'),
      millrace(env, 'entries', stream, '--collection', 'app.bsky.feed.like', '--after', '10m'),
      millrace(env, 'entries', stream, '--after', 'soon'),
      millrace(env, 'groups', 'firehose_lvie'),
      millrace(env, 'consumers', stream, 'nobody'),
    ])
    expect(some).toMatchObject({ code: 0, stderr: '' })
    expect(some.stdout).toMatch(/did:plc:a\n.*did:plc:b\nThere are more: --after/)
    expect(some.stdout).toContain(`--after ${ids[1]}\n`)
    expect(JSON.parse(rest.stdout)).toMatchObject({
      entries: [
        { id: ids[2], event: 'account did:plc:c' },
        { id: ids[3], event: 'account did:plc:d' },
      ],
    })
    expect(one.stdout.trim().split('\n').slice(1)).toEqual([expect.stringMatching(`^${ids[1]} .*account did:plc:b$`)])
    expect(none).toMatchObject({ code: 0, stdout: 'There is nothing.\n' })
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('the id of an entry') })
    expect(slip).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no stream firehose_lvie; there are'),
    })
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`has no group nobody; it has another, ${group}`),
    })
  },
)

serviceTest(
  'a trim drops nothing before its loss is accepted, and then what it has said (S1)',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stores = await open(redisUrl, databaseUrl)
    const { env, store } = stores
    const ids = await idsOf(store)
    const trim = ['streams', 'trim', stream, '--to', ids[1]!]
    const plan = await millrace(env, ...trim)
    expect(plan).toMatchObject({ code: 4, stdout: expect.stringContaining(`${group} has not acked 2 entries`) })
    expect(await idsOf(store)).toEqual(ids)
    const done = await millrace(env, ...trim, '--accept-loss', '--reason', 'a test')
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Changed: /) })
    expect(await idsOf(store)).toEqual(ids.slice(2))
    const [audit, letters, again] = await Promise.all([
      millrace(env, 'audit'),
      millrace(env, 'dlq', 'list', '--reason', 'skipped', '--json'),
      millrace(env, ...trim),
    ])
    expect(audit.stdout).toMatch(/applyTrim .*\(a test\)/)
    expect(letters.stdout).toContain(ids[1]!)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('there is nothing to drop') })
  },
)

serviceTest(
  'a reset has one group skip what it has not acked, and no other',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using stores = await open(redisUrl, databaseUrl)
    const { env, store } = stores
    const ids = await idsOf(store)
    const reset = ['groups', 'reset', stream, 'another', '--to', 'end']
    expect(await millrace(env, ...reset)).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('another has not acked 4 entries'),
    })
    expect(await left(store)).toEqual({ [group]: 4, another: 4 })
    const [done, unknown] = [
      await millrace(env, ...reset, '--accept-loss', '--json'),
      await millrace(env, 'groups', 'reset', stream, 'nobody', '--to', 'end'),
    ]
    expect(done.code).toBe(0)
    expect(JSON.parse(done.stdout)).toMatchObject({ done: { change: { changed: 4 } } })
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('has no group nobody') })
    expect(await left(store)).toEqual({ [group]: 4, another: 0 })
    expect(await idsOf(store)).toEqual(ids)
  },
)
