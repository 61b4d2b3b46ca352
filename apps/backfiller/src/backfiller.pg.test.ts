import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate, openDatabase, PostgresState } from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { HostPacer, type HostState } from '@millrace/repo-backfill'
import { startProcess } from '@millrace/runtime/testing'
import { openStreams } from '@millrace/stores'
import { backfillEventCodec, streamEventCodec, streams, type StreamEvent } from '@millrace/stream-protocol'
import { eventually as soon, pgTest } from '@millrace/testing'
import { expect } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
/** A process starts from its sources, beside all the other tests: that may take a while. */
const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 60_000 })

pgTest(
  'the process turns listed repos into events, over SQLite, and stops with 0',
  { timeout: 180_000 },
  async ({ databaseUrl, signal }) => {
    await using network = await startSimulatedNetwork({ accounts: 3, recordsPerAccount: 4 })
    const folder = await mkdtemp(path.join(os.tmpdir(), 'millrace-backfiller-'))
    const file = path.join(folder, 'streams.sqlite')
    await using store = await openStreams({ kind: 'sqlite', file, location: file, why: 'it is a test' })
    const repos = network.accounts.map(({ did }) => ({ did, host: network.relayUrl, rev: '3jzfcijpj2z2a' }))
    await store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec }).append(repos)

    await using backfiller = startProcess({
      main,
      env: {
        BACKFILLER_CONSUMER: 'one',
        MILLRACE_DATA_DIR: folder,
        DB_POSTGRES_URL: databaseUrl,
        DID_PLC_URL: network.plcUrl,
        MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
      },
    })
    await eventually(async () => {
      const [todo] = await store.status([streams.repoBackfill])
      expect(todo).toMatchObject({ length: 0, groups: [{ name: 'repo_backfill_group', pending: 0 }] })
    })
    const events: StreamEvent[] = []
    const reader = store.consumer({
      stream: streams.firehoseBackfill,
      group: 'test',
      consumer: 'test',
      codec: streamEventCodec,
    })
    for await (const batch of reader.batches(signal)) {
      events.push(...batch.entries.map(({ event }) => event))
      if (events.filter(({ type }) => type === 'repo').length === repos.length) break
    }
    expect(events.filter(({ type }) => type === 'create')).toHaveLength(network.totals().recordCount)

    const port = await backfiller.metricsPort()
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`)
    expect(await ready.json()).toMatchObject({ status: 'ready', checks: { database: { status: 'ok' } } })
    backfiller.kill('SIGINT')
    expect([await backfiller.ended, backfiller.output().stderr]).toEqual([0, ''])
    await rm(folder, { recursive: true })
  },
)

pgTest(
  'what one backfiller has learned of a host the others know, and itself after a restart',
  async ({ databaseUrl }) => {
    await using database = await openDatabase({ url: databaseUrl })
    await migrate(database)
    const pacer = (): HostPacer =>
      new HostPacer({ states: new PostgresState<HostState>({ database, scope: 'hosts' }), startPerSecond: 0.1 })
    const host = 'https://pds.example'
    const [one, two] = [pacer(), pacer()]
    // At one in ten seconds nobody gets a third one soon, whoever had the others.
    await one.take(host)
    await two.take(host)
    await expect(two.take(host)).rejects.toMatchObject({ name: 'HostBusyError' })
    await two.answered(host, { askedAt: Date.now() }, { status: 429, headers: new Headers({ 'retry-after': '60' }) })
    const error: unknown = await pacer()
      .take(host)
      .catch((busy: unknown) => busy)
    expect(error).toMatchObject({ name: 'HostBusyError', host })
    expect((error as { waitMs: number }).waitMs).toBeGreaterThan(55_000)
  },
)
