import path from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { atLeast, atMost, exactly, figure, median, percentile, type Result } from '@millrace/testing/results'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { goals } from '../goals.ts'
import { Servers } from '../servers.ts'
import { BusyPipeline, type Asked } from './busy-pipeline.ts'

const ACCOUNTS = 200
/** The network is simulated, and signs, in the same process, which is then busy for most of its time. */
const RATE = 100
/** Of each command in a round. */
const TIMES = 10

/** How long somebody waits who was woken up: each command from the start of its process to its end. */
export const toolsBenchmark: Benchmark = {
  name: 'tools',
  summary: '`millrace status`, `doctor` and `trace` beside a pipeline that is at work',
  events: 20_000,
  parts: [],
  run: measureTools,
}

async function* measureTools({ events, rounds, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  await using cleanup = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'))
  cleanup.defer(() => rm(folder, { recursive: true }))
  const servers = cleanup.use(await Servers.start({ onProgress }))
  const databaseUrl = await servers.createDatabase('tools')
  onProgress(`tools: filling a pipeline with ${events.toLocaleString('en')} records`)
  const pipeline = cleanup.use(
    await BusyPipeline.start({
      redisUrl: servers.redisUrl,
      databaseUrl,
      folder,
      accounts: ACCOUNTS,
      recordsPerAccount: Math.ceil(events / ACCOUNTS),
      rate: RATE,
    }),
  )
  const someUri = async (): Promise<string> => {
    // One of the newest: its repo is being written to.
    const [row] = await servers.query<{ uri: string }>(
      `select uri from bsky.record order by "indexedAt" desc limit 1`,
      databaseUrl,
    )
    return row!.uri
  }
  const questions: Readonly<Record<string, () => Promise<Asked>>> = {
    'millrace status': () => pipeline.ask('status'),
    'millrace doctor': () => pipeline.ask('doctor'),
    'millrace trace': async () => pipeline.ask('trace', await someUri()),
    getStatus: () => pipeline.call('getStatus'),
    getDoctorReport: () => pipeline.call('getDoctorReport'),
    traceSubject: async () => pipeline.call('traceSubject', { subject: await someUri() }),
  }
  const asked = new Map<string, Asked[]>(Object.keys(questions).map((name) => [name, []]))
  const [indexedBefore, startedAt] = [await pipeline.indexed(), performance.now()]
  for (let round = 1; round <= rounds; round++) {
    onProgress(`round ${round} of ${rounds}`)
    for (let time = 0; time < TIMES; time++)
      for (const [name, ask] of Object.entries(questions)) asked.get(name)!.push(await ask())
  }
  const perSecond = ((await pipeline.indexed()) - indexedBefore) / ((performance.now() - startedAt) / 1_000)
  const all = [...asked.values()].flat()
  yield [
    // One that was not, or whose stores could not be reached, would be fast.
    exactly(0, 'tools: questions without an answer', all.filter(({ code }) => !answers.has(code)).length, 'questions'),
    figure('tools: asked', all.length, 'questions'),
    atLeast(goals.tools.busyPerSecond, 'tools: indexed meanwhile', perSecond, 'records/s'),
    ...[...asked].flatMap(([name, answered]) => {
      const times = answered.map(({ ms }) => ms)
      return [
        atMost(goals.tools.answerMs, `tools: ${name}, half within`, median(times), 'ms'),
        figure(`tools: ${name}, 95 % within`, percentile(times, 95), 'ms'),
      ]
    }),
  ]
}

/** 0, and 1 where a problem was found; 200 of the server itself. */
const answers: ReadonlySet<number | NodeJS.Signals> = new Set([0, 1, 200])
