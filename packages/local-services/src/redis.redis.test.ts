import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createClient } from 'redis'
import { expect, onTestFinished, test } from 'vitest'
import { startRedis } from './redis.ts'

test('a server without a folder answers, keeps nothing, and ends when closed', async () => {
  const redis = await startRedis({ settings: { maxclients: '77' } })
  await withClient(redis.url, async (client) => {
    expect(await client.configGet(['maxclients', 'save', 'appendonly'])).toEqual({
      maxclients: '77',
      save: '',
      appendonly: 'no',
    })
    expect(await client.info('server')).toContain(`redis_version:${redis.version}`)
    expect(await client.info('server')).toContain(`process_id:${redis.pid}`)
  })
  await redis.close()
  await expect(withClient(redis.url, (client) => client.ping())).rejects.toThrow('ECONNREFUSED')
})

test('data in a folder is there after a restart', async () => {
  const folder = await temporaryFolder()
  const first = await startRedis({ folder })
  await withClient(first.url, (client) => client.xAdd('stream', '*', { event: 'kept' }))
  await first.close()
  await using second = await startRedis({ folder })
  await withClient(second.url, async (client) => {
    expect(await client.xLen('stream')).toBe(1)
    expect(await client.configGet(['appendfsync', 'maxmemory-policy'])).toEqual({
      appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction',
    })
  })
})

test('a folder in use is refused, since two servers would spoil its files', async () => {
  const folder = await temporaryFolder()
  await using first = await startRedis({ folder })
  await expect(startRedis({ folder })).rejects.toThrow(`in use by the Redis with process id ${first.pid}`)
})

test('a server that cannot start is reported with its own words', async () => {
  await expect(startRedis({ settings: { appendfsync: 'now' } })).rejects.toThrow(/cannot start Redis .*appendfsync/s)
})

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function withClient(
  url: string,
  use: (client: ReturnType<typeof connectable>) => Promise<unknown>,
): Promise<void> {
  const client = connectable(url)
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.close()
  }
}

function connectable(url: string) {
  return createClient({ url, socket: { reconnectStrategy: false } })
}
