import { openDatabase } from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { startPostgres } from '@millrace/local-services'
import { openRedisStreams } from '@millrace/redis-streams'
import { startProcess } from '@millrace/runtime/testing'
import { silentLogger } from '@millrace/stream-protocol'
import { redisTest } from '@millrace/testing'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { compareDatabases } from './compare-databases.ts'
import { createDatabases } from './create-databases.ts'
import { readOptions } from './options.ts'
import { isSame, renderComparison } from './render.ts'
import { secondSink, type Report } from './second-sink.ts'
import { Traffic } from './traffic.ts'

const nothingIsLost = {
  steps: [
    { figures: { repos: 8 } },
    { figures: { waitingForSecond: expect.toSatisfy((count: number) => count >= 30) } },
    { figures: { repos: 8, fetchedAgainForFirst: 0 } },
    { figures: { waitingForSecond: expect.toSatisfy((count: number) => count >= 30) } },
    { figures: { entriesLeft: 0 } },
  ],
  comparison: { differing: {}, missing: { first: 0, second: 0 } },
}

redisTest(
  'nothing is lost to a second group on a Redis, nor to the first',
  { timeout: 90_000 },
  async ({ redisUrl, signal }) => {
    await using postgres = await startPostgres()
    const urls = await createDatabases(postgres.url)
    await using network = await startSimulatedNetwork({ accounts: 8, recordsPerAccount: 0, labels: 0, time: 'real' })
    const traffic = new Traffic(network, 5)
    await traffic.write(60)
    await using store = await openRedisStreams({ url: redisUrl })
    const report = await secondSink({
      network,
      traffic,
      store,
      urls,
      say: () => undefined,
      logger: silentLogger,
      signal,
    })
    expect(report).toMatchObject(nothingIsLost)
    expect(report.comparison.rows.second).toBeGreaterThan(100)

    await using first = await openDatabase({ url: urls.first })
    await using second = await openDatabase({ url: urls.second })
    await second.pool.query(`delete from "like" where uri = (select min(uri) from "like")`)
    await second.pool.query(`delete from record where uri = (select min(uri) from record)`)
    const spoilt = await compareDatabases({ first, second, network })
    expect(spoilt).toMatchObject({ differing: { like: 1, record: 1 }, missing: { first: 0, second: 1 } })
    expect([isSame(spoilt), isSame(report.comparison)]).toEqual([false, true])
    expect(renderComparison(spoilt)).toMatch(/SOMETHING IS LOST.[^]*rows that differ +2 \(record 1\) \(like 1\)/)
  },
)

test('the command ends with 0 when nothing is lost, with streams in a file', { timeout: 90_000 }, async () => {
  await using example = startProcess({
    main: path.join(import.meta.dirname, 'main.ts'),
    args: ['--exit-when-idle', '--json', '--accounts', '8'],
    env: {
      HOME: process.env['HOME'] ?? '/',
      ...(process.env['XDG_CACHE_HOME'] && { XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] }),
    },
  })
  expect({ code: await example.ended, stderr: example.output().stderr }).toMatchObject({ code: 0 })
  expect(JSON.parse(example.output().stdout) as Report).toMatchObject(nothingIsLost)
})

test('the tutorial shows what is here', async () => {
  const read = (file: string): Promise<string> => readFile(path.join(import.meta.dirname, file), 'utf8')
  const blocks = [...(await read('../../../docs/tutorial-second-database.md')).matchAll(/^```ts\n(.*?)^```$/gms)]
  expect(blocks).toHaveLength(2)
  const source = await read('second-sink.ts')
  for (const [, block] of blocks) expect(source).toContain(block)
})

test.each([
  { args: ['--accounts', 'x'], says: /--accounts is no whole number/ },
  { args: ['--redis', 'http://localhost'], says: /--redis is no redis URL/ },
  { args: ['--nothing'], says: /Unknown option '--nothing'/ },
])('$args is refused in words', ({ args, says }) => {
  expect(() => readOptions(args)).toThrow(says)
})
