import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { migrate, openDatabase, PostgresState } from '@millrace/database'
import { createGuardedFetch } from '@millrace/identity'
import { HostPacer, pacedFetch, type HostState } from '@millrace/repo-backfill'
import { atLeast, atMost, figure, type Result } from '@millrace/testing/results'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { goals } from '../goals.ts'
import { Servers } from '../servers.ts'
import { startServerProcess } from '../start-server-process.ts'

/** What the host takes in a second, and nobody is told. */
const PER_SECOND = 50
/** Requests that each client would have under way, were it let. */
const AT_ONCE = 16
const SHARING = 3

/** How much of a limit is found out and used, and how often it is overstepped, in real time. */
export const pacingBenchmark: Benchmark = {
  name: 'pacing',
  summary: `what is used of a host's hidden limit of ${PER_SECOND} requests a second, and what it refuses; a minute for each part`,
  events: 60 * PER_SECOND,
  parts: ['alone', 'together'],
  run: measurePacing,
}

async function* measurePacing({ events, parts, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  const seconds = events / PER_SECOND
  if (parts.includes('alone')) {
    onProgress(`pacing: one client, ${seconds} s`)
    yield await measure('alone', [new HostPacer()], seconds)
  }
  if (parts.includes('together')) {
    await using servers = await Servers.start({ onProgress })
    await using database = await openDatabase({ url: await servers.createDatabase('pacing') })
    await migrate(database)
    onProgress(`pacing: ${SHARING} clients that share a database, ${seconds} s`)
    const pacers = Array.from({ length: SHARING }, () => {
      const states = new PostgresState<HostState>({ database, scope: 'hosts' })
      return new HostPacer({ states })
    })
    yield await measure('together', pacers, seconds)
  }
}

async function measure(name: string, pacers: readonly HostPacer[], seconds: number): Promise<Result[]> {
  const file = path.join(import.meta.dirname, `limited-host${path.extname(import.meta.filename)}`)
  await using host = await startServerProcess(file, String(PER_SECOND))
  const answers = { taken: 0, refused: 0 }
  const stop = AbortSignal.timeout(seconds * 1_000)
  const work = async (pacer: HostPacer): Promise<void> => {
    const fetch = pacedFetch({ fetch: createGuardedFetch({ allowPrivateHosts: true }), pacer, priority: 3 })
    while (!stop.aborted) {
      try {
        const { status } = await fetch(host.url, { signal: stop })
        answers[status === 200 ? 'taken' : 'refused']++
      } catch (error) {
        if (!stop.aborted) throw error
      }
      // Who has nothing to do with the answer lets others have theirs.
      await wait(0)
    }
  }
  await Promise.all(pacers.flatMap((pacer) => Array.from({ length: AT_ONCE }, () => work(pacer))))
  const { taken, refused } = answers
  // At its first moment it takes a second's requests at once.
  const most = (seconds + 1) * PER_SECOND
  return [
    atLeast(goals.pacing.used, `pacing: ${name}, of the limit used`, taken / most, 'times'),
    atMost(goals.pacing.refused, `pacing: ${name}, of the requests refused`, refused / (taken + refused), 'times'),
    figure(`pacing: ${name}, taken`, taken, 'requests'),
    figure(`pacing: ${name}, refused`, refused, 'requests'),
  ]
}
