import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { expect, test as base } from 'vitest'
import { findRunningPostgres, startPostgres } from './postgres.ts'

const test = base.extend('folder', async ({ task }, { onCleanup }) => {
  const folder = await mkdtemp(path.join(tmpdir(), `millrace-test-${task.id}-`))
  onCleanup(() => rm(folder, { recursive: true }))
  return folder
})

/** To create a database takes a second where nothing else is to do. */
const patient = { timeout: 120_000 }

test('a server without a folder answers in UTF8 and UTC, and leaves nothing', patient, async () => {
  const postgres = await startPostgres()
  const row = await ask(
    postgres.url,
    `select current_setting('server_version') as version, current_setting('TimeZone') as zone,
            current_setting('server_encoding') as encoding, current_setting('fsync') as fsync`,
  )
  expect(row).toEqual({ version: postgres.version, zone: 'UTC', encoding: 'UTF8', fsync: 'off' })
  expect(postgres.joined).toBe(false)
  await postgres.close()
  await expect(ask(postgres.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await expect(access(postgres.folder)).rejects.toThrow('ENOENT')
})

test('data in a folder is durable and there after a restart', patient, async ({ folder }) => {
  const data = path.join(folder, 'not', 'yet', 'there')
  const settings = { work_mem: '8MB' }
  await using first = await startPostgres({ folder: data, settings })
  await ask(first.url, 'create table kept as select 7 as value')
  expect(await ask(first.url, `select current_setting('fsync') || current_setting('work_mem') as settings`)).toEqual({
    settings: 'on8MB',
  })
  await first.close()
  await using second = await startPostgres({ folder: data })
  expect(await ask(second.url, 'select value from kept')).toEqual({ value: 7 })
})

test(
  'a second start on a folder joins the server there, and closing it leaves the first',
  patient,
  async ({ folder }) => {
    const data = path.join(folder, 'data')
    await using first = await startPostgres({ folder: data, durable: false })
    const second = await startPostgres({ folder: data, durable: false })
    expect({ url: second.url, joined: second.joined }).toEqual({ url: first.url, joined: true })
    await second.close()
    expect(await ask(first.url, 'select 1 as answer')).toEqual({ answer: 1 })
  },
)

test('a server that runs on a folder is found there, and none where there is none', patient, async ({ folder }) => {
  const data = path.join(folder, 'data')
  expect(await findRunningPostgres(data)).toBeUndefined()
  // Looking leaves nothing behind.
  await expect(access(data)).rejects.toThrow('ENOENT')
  const postgres = await startPostgres({ folder: data, durable: false })
  expect(await findRunningPostgres(data)).toBe(postgres.url)
  await postgres.close()
  expect(await findRunningPostgres(data)).toBeUndefined()
})

test('two starts at once, on one new folder and an empty cache, share one server', patient, async ({ folder }) => {
  const options = { folder: path.join(folder, 'data'), cacheFolder: path.join(folder, 'cache'), durable: false }
  const started = await Promise.all([startPostgres(options), startPostgres(options)])
  try {
    expect(new Set(started.map(({ url }) => url)).size).toBe(1)
    expect(started.filter(({ joined }) => joined)).toHaveLength(1)
    expect(await ask(started[0].url, 'select 1 as answer')).toEqual({ answer: 1 })
  } finally {
    await Promise.all(started.map((postgres) => postgres.close()))
  }
})

test('a process id that another program got since is not taken for a server', patient, async ({ folder }) => {
  const data = path.join(folder, 'data')
  await (await startPostgres({ folder: data, durable: false })).close()
  await writeFile(path.join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n\nready\n`)
  await using again = await startPostgres({ folder: data, durable: false })
  expect(again.joined).toBe(false)
  expect(await readFile(path.join(data, 'postmaster.pid'), 'utf8')).not.toMatch(new RegExp(`^${process.pid}\n`))
})

test('a folder that holds something else is refused and left alone', patient, async ({ folder }) => {
  await mkdir(path.join(folder, 'letters'))
  await expect(startPostgres({ folder })).rejects.toThrow(`${folder} holds something else than a Postgres database`)
  await access(path.join(folder, 'letters'))
})

test('a server that cannot start is reported with its own words', patient, async () => {
  const starting = startPostgres({ settings: { shared_buffers: 'plenty' } })
  await expect(starting).rejects.toThrow(/cannot start Postgres .*exit code 1\n.*shared_buffers.*plenty/s)
})

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows[0]
  } finally {
    await client.end()
  }
}
