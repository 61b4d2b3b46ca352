import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { decodeFrame } from '@millrace/dev-network'
import { startRedis } from '@millrace/local-services'
import { streams } from '@millrace/stream-protocol'
import { atLeast, exactly, figure, median, type Result } from '@millrace/testing/results'
import { createClient } from 'redis'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { goals } from '../goals.ts'
import { rotated } from '../rounds.ts'
import { runChild } from '../run-child.ts'
import { compareEntries } from './compare-entries.ts'
import { ingestSystemNames, type IngestMeasurement, type IngestOptions, type IngestSystemName } from './measurement.ts'
import { readRecordedNetwork } from './recorded-frames.ts'
import { startFrameServer } from './start-frame-server.ts'

const stream = streams.firehoseLive
const ours = ingestSystemNames.filter((name) => name !== 'reference')

/** The way in, from the socket to the stream: ours beside the one that others have, over the same recorded frames. */
export const ingestBenchmark: Benchmark = {
  name: 'ingest',
  summary: 'from the socket to the stream, with and without verification, against @atproto/sync',
  events: 48_400,
  parts: [],
  run: measureIngesters,
}

type Round = Record<IngestSystemName, IngestMeasurement>

async function* measureIngesters({ events, rounds, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  await using redis = await startRedis({ onProgress })
  yield await compareSystems(redis.url, onProgress)
  onProgress(`ingest: making ${events.toLocaleString('en')} frames`)
  await using server = await startFrameServer(events)
  const frames = events + 1
  const recording = await readRecordedNetwork()
  const commits = recording.frames.filter((frame) => decodeFrame(frame).header.t === '#commit')
  const commitShare = commits.length / recording.frames.length
  const options: IngestOptions = { url: server.url, redisUrl: redis.url, stream, lastSeq: frames }
  const measured: Round[] = []
  for (let number = 0; number < rounds; number++) {
    onProgress(`round ${number + 1} of ${rounds}`)
    const round: Partial<Round> = {}
    for (const name of rotated(ingestSystemNames, number)) {
      await empty(redis.url)
      const measurement = await runSystem(name, options)
      round[name] = measurement
      onProgress(`  ${name}: ${Math.round(frames / measurement.seconds).toLocaleString('en')} frames/s`)
    }
    measured.push(round as Round)
  }
  const perSecond = (name: IngestSystemName): number => median(measured.map((round) => frames / round[name].seconds))
  const perCore = (name: IngestSystemName): number => median(measured.map((round) => frames / round[name].cpuSeconds))
  const ratio = (name: IngestSystemName): number =>
    median(measured.map((round) => round.reference.cpuSeconds / round[name].cpuSeconds))
  const threadsToNone = median(measured.map((round) => round.signatures.seconds / round.threads.seconds))
  yield [
    atLeast(goals.ingest.unverified, 'ingest: unverified to reference, on one core', ratio('unverified'), 'times'),
    atLeast(goals.ingest.integrity, 'ingest: integrity to reference, on one core', ratio('integrity'), 'times'),
    atLeast(
      goals.ingest.signaturesPerSecond,
      'ingest: signatures, in a second of one core',
      perCore('signatures') * commitShare,
      'commits',
    ),
    figure('ingest: what OpenSSL verifies of them, in a second of one core', opensslPerCore(), 'signatures'),
    atLeast(1, `ingest: ${availableParallelism()} threads to none, by the clock`, threadsToNone, 'times'),
    ...ingestSystemNames.map((name) => figure(`ingest: ${name}, in a second of one core`, perCore(name), 'frames')),
    ...ingestSystemNames.map((name) => figure(`ingest: ${name}, by the clock`, perSecond(name), 'frames/s')),
  ]
}

/** What a core of this machine is worth at this hour, for signatures of secp256k1. */
function opensslPerCore(): number {
  const count = 2_000
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const bytes = Buffer.alloc(200, 7)
  const signature = sign('sha256', bytes, privateKey)
  const before = process.cpuUsage()
  for (let index = 0; index < count; index++) verify('sha256', bytes, publicKey, signature)
  const { user, system } = process.cpuUsage(before)
  return (count * 1_000_000) / (user + system)
}

/** Before any speed: that all make the same entries of the recording. */
async function compareSystems(redisUrl: string, onProgress: (text: string) => void): Promise<Result[]> {
  onProgress('ingest: comparing entries')
  const { frames } = await readRecordedNetwork()
  await using server = await startFrameServer(frames.length)
  const entriesOf = async (name: IngestSystemName): Promise<string[]> => {
    await empty(redisUrl)
    await runSystem(name, { url: server.url, redisUrl, stream, lastSeq: frames.length + 1 })
    return await readEntries(redisUrl)
  }
  const expected = await entriesOf('reference')
  const results = [figure('ingest: entries of the reference', expected.length, 'entries')]
  for (const name of ours) {
    const differences = compareEntries(await entriesOf(name), expected)
    for (const difference of differences.slice(0, 3)) onProgress(`  ${name}: ${difference}`)
    results.push(exactly(0, `ingest: ${name}, entries that differ`, differences.length, 'entries'))
  }
  return results
}

function runSystem(name: IngestSystemName, options: IngestOptions): Promise<IngestMeasurement> {
  return runChild(path.join(import.meta.dirname, `child${path.extname(import.meta.filename)}`), name, options)
}

async function empty(url: string): Promise<void> {
  await using redis = await connect(url)
  await redis.client.flushAll()
}

async function readEntries(url: string): Promise<string[]> {
  await using redis = await connect(url)
  const entries = await redis.client.xRange(stream, '-', '+')
  return (entries ?? []).map(({ message }) => message['event'] ?? '')
}

async function connect(url: string) {
  const client = createClient({ url })
  await client.connect()
  return { client, [Symbol.asyncDispose]: async () => await client.close() }
}
