import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import type { Result } from '@millrace/testing/results'
import { Servers } from '../servers.ts'
import { sizesOf } from '../sizes.ts'
import { measureBackfill } from './measure-backfill.ts'
import { measureBuffers } from './measure-buffers.ts'
import { measureLatency } from './measure-latency.ts'
import { measureLive } from './measure-live.ts'
import { measureMemory } from './measure-memory.ts'
import { measurePoison } from './measure-poison.ts'

export const indexerBenchmark: Benchmark = {
  name: 'indexer',
  summary: 'ours against the AppView itself and bare statements: rows, speed, and what it costs',
  events: 60_000,
  parts: ['live', 'backfill', 'buffers', 'memory', 'latency', 'poison'],
  run: measureIndexer,
}

async function* measureIndexer({ events, rounds, parts, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  const sizes = sizesOf(events)
  const wanted = new Set(parts)
  await using servers = await Servers.start({ onProgress })
  const options = { servers, sizes, rounds, onProgress }
  // Small buffers are held against ordinary ones.
  if (wanted.has('live') || wanted.has('buffers')) {
    const { results, ratios } = await measureLive(options)
    yield results
    if (wanted.has('buffers')) yield await measureBuffers(options, ratios)
  }
  if (wanted.has('backfill')) yield await measureBackfill(options)
  if (wanted.has('memory')) yield await measureMemory(options)
  if (wanted.has('latency')) yield await measureLatency(options)
  if (wanted.has('poison')) yield await measurePoison(options)
}
