import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres, startRedis } from '@millrace/local-services'
import { streamEventCodec } from '@millrace/stream-protocol'
import { atLeast, exactly, figure, type Result } from '@millrace/testing/results'
import { Client } from 'pg'
import { createClient } from 'redis'
import type { Benchmark, BenchmarkOptions } from './benchmark.ts'
import { comparedTables, compareTable, type RowDifference } from './compare-rows.ts'
import { knownDifferences } from './known-differences.ts'
import { median, systemNames, type Measurement, type SystemName } from './measurement.ts'
import { runSystem } from './run-system.ts'
import { WorkloadFacts } from './workload-facts.ts'
import { generateWorkload } from './workload.ts'

const GOAL_RATIO = 8

export const indexerBenchmark: Benchmark = {
  name: 'indexer',
  summary: 'events a second into Postgres: ours, the AppView itself, and bare statements; and whether the rows agree',
  run: measureIndexers,
}

type Round = Record<SystemName, Measurement>

async function measureIndexers({ events: count, rounds, onProgress }: BenchmarkOptions): Promise<Result[]> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'))
  cleanup.defer(() => rm(folder, { recursive: true }))
  const eventsFile = path.join(folder, 'events.jsonl')
  const events = generateWorkload({ events: count })
  await writeFile(eventsFile, events.map((event) => `${streamEventCodec.encode(event)}\n`).join(''))

  // Durable, on disk: a commit waits for the disk in all of them.
  const postgres = cleanup.use(await startPostgres({ durable: true, onProgress }))
  const redis = cleanup.use(await startRedis({ onProgress }))
  const run = async (name: SystemName, postgresUrl: string, inOrder = false): Promise<Measurement> => {
    await settle(postgres.url, redis.url)
    const result = await runSystem(name, { eventsFile, postgresUrl, redisUrl: redis.url, inOrder })
    const perSecond = Math.round(result.perSecond).toLocaleString('en')
    onProgress(`${name}${inOrder ? ' in order, for its rows' : ''}: ${perSecond} events/s`)
    return result
  }

  const reference = await createDatabase(postgres.url, 'expected')
  // Only its rows are wanted, and one commit after the other would wait for the disk most of the time.
  await query(postgres.url, 'alter database expected set synchronous_commit = off')
  const expected = await run('reference', reference, true)
  const differences = new Differences(new WorkloadFacts(events))
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    onProgress(`round ${round + 1} of ${rounds}`)
    const results: Partial<Round> = {}
    // Each system comes first in turn: what the one before left in caches helps nobody more often.
    for (const name of rotated(systemNames, round)) {
      const url = await createDatabase(postgres.url, name)
      results[name] = await run(name, url)
      if (name === 'ours')
        for (const compared of comparedTables)
          differences.add(compared.table, await compareTable({ ours: url, reference }, compared))
      await query(postgres.url, `drop database ${name} with (force)`)
    }
    measured.push(results as Round)
  }
  differences.report(onProgress)
  return [
    ...differences.results(),
    exactly(0, 'indexer: events that failed, reference in order', expected.failed, 'events'),
    ...speeds(measured),
  ]
}

function speeds(rounds: readonly Round[]): Result[] {
  const perSecond = (name: SystemName) => median(rounds.map((round) => round[name].perSecond))
  const ratio = (to: SystemName) => median(rounds.map((round) => round.ours.perSecond / round[to].perSecond))
  const failed = (name: SystemName) => Math.max(...rounds.map((round) => round[name].failed))
  return [
    exactly(0, 'indexer: events that failed, ours', failed('ours'), 'events'),
    figure('indexer: ours', perSecond('ours'), 'events/s'),
    figure('indexer: reference', perSecond('reference'), 'events/s'),
    figure('indexer: bare statements', perSecond('ceiling'), 'events/s'),
    atLeast(GOAL_RATIO, 'indexer: ours to reference', ratio('reference'), 'times'),
    figure('indexer: ours to bare statements', ratio('ceiling'), 'times'),
  ]
}

/** Rows that differ, over all rounds. */
class Differences {
  readonly #tables = new Map<string, { rows: number; unexplained: RowDifference[] }>()
  readonly #facts: WorkloadFacts
  readonly #known = new Map<string, number>(knownDifferences.map(({ name }) => [name, 0]))

  constructor(facts: WorkloadFacts) {
    this.#facts = facts
  }

  add(table: string, { rows, differences }: { rows: number; differences: RowDifference[] }): void {
    const entry = this.#tables.get(table) ?? { rows: 0, unexplained: [] }
    this.#tables.set(table, entry)
    entry.rows += rows
    for (const difference of differences) {
      const known = knownDifferences.find(({ explains }) => explains(difference, this.#facts))
      if (known) this.#known.set(known.name, (this.#known.get(known.name) ?? 0) + 1)
      else entry.unexplained.push(difference)
    }
  }

  results(): Result[] {
    const rows = [...this.#tables.values()].reduce((sum, { rows }) => sum + rows, 0)
    return [
      figure('indexer: rows compared', rows, 'rows'),
      ...[...this.#tables].map(([table, { unexplained }]) =>
        exactly(0, `indexer: rows that differ in ${table}`, unexplained.length, 'rows'),
      ),
      ...[...this.#known].map(([name, count]) => figure(`indexer: known difference, ${name}`, count, 'rows')),
    ]
  }

  report(onProgress: (text: string) => void): void {
    for (const { name, reason } of knownDifferences)
      if (this.#known.get(name)) onProgress(`known difference, ${name}: ${reason}`)
    for (const [table, { unexplained }] of this.#tables)
      for (const difference of unexplained.slice(0, 5)) onProgress(`${table} ${describe(difference)}`)
  }
}

function describe({ key, ours, reference, columns }: RowDifference): string {
  if (!ours) return `${key}: only the reference has ${JSON.stringify(reference)}`
  if (!reference) return `${key}: only ours has ${JSON.stringify(ours)}`
  const values = columns.map((name) => `${name} ${JSON.stringify(ours[name])}, not ${JSON.stringify(reference[name])}`)
  return `${key}: ${values.join('; ')}`
}

function rotated<T>(values: readonly T[], by: number): T[] {
  const start = by % values.length
  return [...values.slice(start), ...values.slice(0, start)]
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  await query(serverUrl, `create database ${name} template template0 encoding 'UTF8' locale 'C.UTF-8'`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Nobody pays for writes of the one before. */
async function settle(postgresUrl: string, redisUrl: string): Promise<void> {
  await query(postgresUrl, 'checkpoint')
  const redis = createClient({ url: redisUrl })
  await redis.connect()
  await redis.flushAll()
  await redis.close()
}

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
