import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { atLeast, atMost, exactly, figure, median, type Result } from '@millrace/testing/results'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { goals } from '../goals.ts'
import { rotated } from '../rounds.ts'
import { runChild } from '../run-child.ts'
import { startServerProcess } from '../start-server-process.ts'
import {
  backfillParts,
  backfillSystemNames,
  type BackfillMeasurement,
  type BackfillOptions,
  type BackfillPart,
  type BackfillSystemName,
} from './measurement.ts'
import { ourEntries } from './our-backfill.ts'
import { referenceEntries } from './reference-backfill.ts'
import { makeRepoFiles, readRepos } from './repo-files.ts'

const VERY_LARGE_BYTES = 100_000_000
const SMALL = { repos: 400, records: 20 }

/** Whole repos: reading them, proving them, and making entries of them. */
export const backfillBenchmark: Benchmark = {
  name: 'backfill',
  summary: 'whole repos, verified and turned into entries, against @atproto/repo',
  events: 20_000,
  parts: backfillParts,
  run: measureBackfill,
}

type Measured = Record<BackfillSystemName, BackfillMeasurement[]>

async function* measureBackfill(options: BenchmarkOptions): AsyncGenerator<Result[]> {
  const { events, rounds, parts, onProgress } = options
  onProgress(`backfill: making repos, one of ${events.toLocaleString('en')} records and one of 100 MB`)
  await using files = await makeRepoFiles({ large: events, veryLargeBytes: VERY_LARGE_BYTES, small: SMALL })
  const { folder } = files
  yield await compare(folder)
  const file = (name: string): string => path.join(import.meta.dirname, `${name}${path.extname(import.meta.filename)}`)
  await using server = await startServerProcess(file('repo-server'), folder)
  for (const part of backfillParts.filter((name) => parts.includes(name))) {
    const measured: Measured = { ours: [], reference: [] }
    for (let number = 0; number < rounds; number++) {
      onProgress(`backfill: ${part}, round ${number + 1} of ${rounds}`)
      for (const name of rotated(backfillSystemNames, number)) {
        const child: BackfillOptions = { folder, url: server.url }
        measured[name].push(await runChild<BackfillMeasurement>(file('child'), `${part}/${name}`, child))
        onProgress(`  ${name}: ${describe(measured[name].at(-1)!)}`)
      }
    }
    yield resultsOf[part](measured, events)
  }
}

/** Before any speed: that both find the same records. */
async function compare(folder: string): Promise<Result[]> {
  const expected = (await referenceEntries(folder)).map((text) => JSON.parse(text) as Record<string, unknown>)
  const ours = (await ourEntries(folder)).map((text) => JSON.parse(text) as Record<string, unknown>)
  const differing = expected.filter((entry, index) =>
    Object.keys(entry).some((field) => !isDeepStrictEqual(entry[field], ours[index]?.[field])),
  )
  const { veryLarge } = await readRepos(folder)
  return [
    figure('backfill: records of the reference', expected.length, 'records'),
    exactly(expected.length, 'backfill: records of ours', ours.length, 'records'),
    exactly(0, 'backfill: records that differ', differing.length, 'records'),
    figure('backfill: records of the repo of 100 MB', veryLarge.records, 'records'),
  ]
}

const resultsOf: Record<BackfillPart, (measured: Measured, records: number) => Result[]> = {
  verify: (measured, records) => [
    atLeast(
      goals.wholeRepos.verify,
      'verify: to verifyRepoCar, on one core, signature included',
      ratio(measured, 'cpuSeconds'),
      'times',
    ),
    ...backfillSystemNames.map((name) =>
      figure(`verify: ${name}, in a second of one core`, records / of(measured, name, 'cpuSeconds'), 'records'),
    ),
  ],
  entries: (measured, records) => [
    atLeast(
      goals.wholeRepos.entriesPerSecond,
      'entries: ours, in a second of one core',
      records / of(measured, 'ours', 'cpuSeconds'),
      'records',
    ),
    figure(
      'entries: reference with verification, in a second of one core',
      records / of(measured, 'reference', 'cpuSeconds'),
      'records',
    ),
  ],
  repos: (measured) => [
    atLeast(goals.wholeRepos.repos, 'repos: small ones, to the reference', ratio(measured, 'seconds'), 'times'),
    figure('repos: small ones, to the reference, on one core', ratio(measured, 'cpuSeconds'), 'times'),
    ...backfillSystemNames.map((name) =>
      figure(`repos: ${name}, by the clock`, SMALL.repos / of(measured, name, 'seconds'), 'repos/s'),
    ),
  ],
  memory: (measured) => [
    atMost(
      goals.wholeRepos.memory,
      'memory: most for a repo of 100 MB, to verifyRepoCar',
      of(measured, 'ours', 'residentMegabytes') / of(measured, 'reference', 'residentMegabytes'),
      'times',
    ),
    ...backfillSystemNames.map((name) =>
      figure(`memory: ${name}, most`, of(measured, name, 'residentMegabytes'), 'MB'),
    ),
  ],
}

function of(measured: Measured, name: BackfillSystemName, field: keyof BackfillMeasurement): number {
  return median(measured[name].map((measurement) => measurement[field]))
}

/** How often as fast as the reference ours is: taken within each round. */
function ratio({ ours, reference }: Measured, field: keyof BackfillMeasurement): number {
  return median(reference.map((measurement, round) => measurement[field] / ours[round]![field]))
}

function describe({ cpuSeconds, seconds, residentMegabytes }: BackfillMeasurement): string {
  return `${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of processors, ${Math.round(residentMegabytes)} MB`
}
