import { startRedis } from '@millrace/local-services'
import { groups, streamEventCodec, streams } from '@millrace/stream-protocol'
import { figure, median, type Result } from '@millrace/testing/results'
import { createClient } from 'redis'
import type { Benchmark, BenchmarkOptions } from './benchmark.ts'
import { timed } from './timed.ts'
import { generateWorkload } from './workload/workload.ts'

const STREAM = streams.firehoseLive
const GROUP = groups.firehose

/** What Redis itself can do with our entries: no indexer or writer gets beyond it. */
export const redisBenchmark: Benchmark = {
  name: 'redis',
  summary: 'entries a second that Redis takes in and gives out, in two shapes of reading',
  events: 20_000,
  parts: [],
  run: measureRedis,
}

async function* measureRedis({ events, rounds, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  const texts = generateWorkload({ events }).map((event) => streamEventCodec.encode(event))
  await using server = await startRedis({ onProgress })
  const client = clientOf(server.url)
  await client.connect()
  const shapes = [
    { name: 'append, 500 at a time', work: () => append(client, texts) },
    { name: 'read 1000, ack and delete together', work: () => drain(client, 1000, ackTogether) },
    { name: 'append again', work: () => append(client, texts) },
    { name: 'read 100, ack and delete one by one', work: () => drain(client, 100, ackOneByOne) },
  ]
  const seconds = new Map<string, number[]>(shapes.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    onProgress(`round ${round} of ${rounds}`)
    await client.flushAll()
    await client.xGroupCreate(STREAM, GROUP, '0', { MKSTREAM: true })
    for (const { name, work } of shapes) seconds.get(name)?.push(await timed(work))
  }
  await client.close()
  yield shapes.map(({ name }) => figure(`redis: ${name}`, events / median(seconds.get(name) ?? []), 'entries/s'))
}

type Client = ReturnType<typeof clientOf>

function clientOf(url: string) {
  return createClient({ url })
}

async function append(client: Client, texts: readonly string[]): Promise<void> {
  for (let start = 0; start < texts.length; start += 500)
    await Promise.all(texts.slice(start, start + 500).map((event) => client.xAdd(STREAM, '*', { event })))
}

async function drain(
  client: Client,
  count: number,
  ack: (client: Client, ids: string[]) => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const replies = await client.xReadGroup(GROUP, 'bench', { key: STREAM, id: '>' }, { COUNT: count })
    // The client has no type for them.
    const messages = replies?.[0]?.messages as { id: string }[] | undefined
    if (!messages) return
    const ids = messages.map(({ id }) => id)
    await ack(client, ids)
  }
}

function ackTogether(client: Client, ids: string[]): Promise<unknown> {
  return Promise.all([client.xAck(STREAM, GROUP, ids), client.xDel(STREAM, ids)])
}

function ackOneByOne(client: Client, ids: string[]): Promise<unknown> {
  return Promise.all(ids.map((id) => ackTogether(client, [id])))
}
