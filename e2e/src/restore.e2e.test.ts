import { readCheckpoint } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { compareWithOracle, renderAnomalies } from '@millrace/oracle'
import { RepairScheduler } from '@millrace/repair'
import { cursorKey, hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { eventually as soon, serviceTest } from '@millrace/testing'
import { Client } from 'pg'
import { connectRedis } from './pipeline/connect-redis.ts'
import { expect } from 'vitest'
import { endOfSimulation } from './compare/simulated-end.ts'
import { AppsInProcess } from './pipeline/apps-in-process.ts'
import { startAtFirstFrame } from './pipeline/recording.ts'
import { leftInTables } from './pipeline/until-nothing-is-left.ts'

const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })

serviceTest(
  'a database that was restored from a backup is made whole by itself, with the streams as they were or emptied (I4, I5)',
  { timeout: 300_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startSimulatedNetwork({ accounts: 4, recordsPerAccount: 5, labels: 4 })
    await startAtFirstFrame(redisUrl, network.relayUrl)
    const options = { redisUrl, databaseUrl, network, consumer: 'one' }
    const anomalies = async ({ database: { pool, schema } }: AppsInProcess): Promise<string> =>
      renderAnomalies(await compareWithOracle({ pool, schema, now: Date.now(), ...endOfSimulation(network) }))
    {
      await using apps = await AppsInProcess.open(options)
      await startAll(apps)
      await untilDone(apps, network)
      expect(await anomalies(apps)).toBe('')
    }
    await using backup = await takeBackup(databaseUrl)

    // The pipeline goes on: records come and go, an account goes, a label is set.
    await network.write(20)
    await network.account(1).remove()
    await network.label({ uri: network.account(2).did, val: 'spam' })
    {
      await using apps = await AppsInProcess.open(options)
      await startAll(apps)
      await untilDone(apps, network)
      expect(await anomalies(apps)).toBe('')
    }

    await backup.restore()
    {
      await using apps = await AppsInProcess.open(options)
      const { database } = apps
      expect(await anomalies(apps)).not.toBe('')
      await startAll(apps)
      await untilDone(apps, network)
      await eventually(async () => expect(await anomalies(apps)).toBe(''))
      const { rows } = await database.pool.query(
        `select host, reason from millrace_gap where stream = $1 and repair is not null`,
        [streams.firehoseLive],
      )
      expect(rows).toEqual([{ host: hostOf(network), reason: 'database-restored' }])
    }

    await backup.restore()
    await emptyStreams(redisUrl)
    await using apps = await AppsInProcess.open(options)
    expect(await anomalies(apps)).not.toBe('')
    await startAll(apps)
    await untilDone(apps, network)
    await eventually(async () => expect(await anomalies(apps)).toBe(''))
  },
)

const hostOf = ({ relayUrl }: SimulatedNetwork): string => hostWithoutScheme(relayUrl)

async function startAll(apps: AppsInProcess): Promise<void> {
  await apps.startIngester()
  apps.startBackfiller()
  await apps.startIndexer()
}

async function untilDone(apps: AppsInProcess, network: SimulatedNetwork): Promise<void> {
  const { database, store } = apps
  await eventually(async () => {
    // Some wait for a minute, in case that more of the same account is on its way.
    await database.pool.query('update millrace_dirty set next_at = now() where attempts = 0')
    // And gaps for half a minute, in case that there are more.
    await new RepairScheduler({ database, settleMs: 0, everyMs: 0 }).schedule()
    await apps.keepCheckpoints()
    expect(await readCheckpoint(database, hostOf(network), streams.firehoseLive)).toBe(String(network.head()))
    const lastLabel = network.labels().at(-1)?.seq
    expect(await store.cursors.get(cursorKey(streams.labelLive, network.labelerUrl))).toBe(String(lastLabel))
    expect(await leftInTables(database.pool, { thorough: true })).toEqual([])
    for (const { length } of await store.status(Object.values(streams))) expect(length).toBe(0)
  })
}

/** A copy of a database that nobody is connected to, as of now; it goes when it is disposed of. */
async function takeBackup(databaseUrl: string): Promise<AsyncDisposable & { restore: () => Promise<void> }> {
  const name = new URL(databaseUrl).pathname.slice(1)
  const maintenance = new URL(databaseUrl)
  maintenance.pathname = '/postgres'
  const run = async (...statements: string[]): Promise<void> => {
    const client = new Client({ connectionString: maintenance.href })
    await client.connect()
    try {
      for (const statement of statements) await client.query(statement)
    } finally {
      await client.end()
    }
  }
  await run(`create database "${name}_backup" template "${name}"`)
  return {
    restore: () => run(`drop database "${name}"`, `create database "${name}" template "${name}_backup"`),
    [Symbol.asyncDispose]: () => run(`drop database "${name}_backup"`),
  }
}

async function emptyStreams(redisUrl: string): Promise<void> {
  using redis = await connectRedis(redisUrl)
  await redis.flushDb()
}
