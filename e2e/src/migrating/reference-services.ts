import { collectFrames, type SimulatedNetwork } from '@millrace/dev-network'
import type { FinalRepo } from '@millrace/oracle'
import { groups, streams } from '@millrace/stream-protocol'
import { createClient } from 'redis'
import {
  referenceEvents,
  referenceLabels,
  seqOf,
  type ReferenceEvent,
  type ReferenceLabel,
  type ReferenceRepo,
} from './reference-entries.ts'

/** An entry as it was read: its id, and the text of its only field. */
export interface ReadEntry {
  id: string
  text: string
}

type Hosts = Pick<SimulatedNetwork, 'relayUrl' | 'labelerUrl'>
type Redis = Awaited<ReturnType<typeof connect>>

async function connect(url: string) {
  const client = createClient({ url, RESP: 2 })
  // Failures come out of the commands; without a listener they would be thrown a second time, in whatever runs then.
  client.on('error', () => undefined)
  return await client.connect()
}

/** Its own number for what comes from a whole repo; any negative one is read so. */
const SEQ_BACKFILL = -2

/**
 * What the services do to Redis that Millrace takes the place of, command by command: plain `XADD`s, then a plain `SET` of the
 * cursor; `XREADGROUP`, `XACK`, `XDEL`.
 */
export class ReferenceServices implements AsyncDisposable {
  readonly #redis: Redis
  readonly #network: Hosts

  private constructor(redis: Redis, network: Hosts) {
    this.#redis = redis
    this.#network = network
  }

  static async connect(redisUrl: string, network: Hosts): Promise<ReferenceServices> {
    return new ReferenceServices(await connect(redisUrl), network)
  }

  async cursor(stream: string): Promise<string | null> {
    return await this.#redis.get(this.#cursorKey(stream))
  }

  /** Reads the firehose from its cursor (from the beginning without one) up to a frame, and gives what it appended. */
  async ingest(upTo: number): Promise<ReferenceEvent[]> {
    const cursor = Number((await this.cursor(streams.firehoseLive)) ?? 0)
    const frames = await collectFrames({ host: this.#network.relayUrl, cursor, count: upTo - cursor })
    const appended: ReferenceEvent[] = []
    for (let start = 0; start < frames.length; start += 100) {
      const batch = frames.slice(start, start + 100)
      const events = (await Promise.all(batch.map(referenceEvents))).flat()
      await this.#append(streams.firehoseLive, 'event', events)
      await this.#setCursor(streams.firehoseLive, String(seqOf(batch.at(-1)!)))
      appended.push(...events)
    }
    return appended
  }

  async ingestLabels(upTo: number): Promise<ReferenceLabel[]> {
    const cursor = Number((await this.cursor(streams.labelLive)) ?? 0)
    const method = 'com.atproto.label.subscribeLabels'
    const frames = await collectFrames({ host: this.#network.labelerUrl, method, cursor, count: upTo - cursor })
    const entries = frames.flatMap(referenceLabels)
    await this.#append(streams.labelLive, 'event', entries)
    await this.#setCursor(streams.labelLive, String(seqOf(frames.at(-1)!)))
    return entries.map(({ label }) => label)
  }

  /** One page of repos from its cursor; it is said to be done when the page names no other. */
  async list(limit: number): Promise<ReferenceRepo[]> {
    const host = this.#network.relayUrl
    const cursor = await this.cursor(streams.repoBackfill)
    const query = new URLSearchParams({ limit: String(limit), ...(cursor !== null && { cursor }) })
    const response = await fetch(`${host}/xrpc/com.atproto.sync.listRepos?${query}`)
    const page = (await response.json()) as { repos: (ReferenceRepo & { head: string })[]; cursor?: string }
    const repos = page.repos.map(({ did, rev, status, active }) => ({ did, host, rev, status, active }))
    await this.#append(streams.repoBackfill, 'repo', repos)
    await this.#setCursor(streams.repoBackfill, page.cursor ?? '!ingester-done')
    return repos
  }

  /** Appends a whole repo as its backfiller does: creates, and a `repo` after every 500 of them. */
  async unpack({ did, rev, commit, records }: FinalRepo): Promise<void> {
    const time = new Date().toISOString()
    for (let start = 0; start < records.length; start += 500) {
      const creates = records.slice(start, start + 500).map(({ uri, cid, record }) => {
        const [collection, rkey] = uri.split('/').slice(3)
        return { type: 'create', seq: SEQ_BACKFILL, time, did, commit, rev, collection, rkey, cid, record }
      })
      await this.#append(streams.firehoseBackfill, 'event', [...creates, { type: 'repo', time, did, commit, rev }])
    }
  }

  /** What a consumer has in hand, then what is new, at most so many. */
  async read(stream: string, consumer: string, count: number): Promise<ReadEntry[]> {
    const group = groupOf(stream)
    await this.#redis.sendCommand(['XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM']).catch((error: Error) => {
      if (!error.message.startsWith('BUSYGROUP')) throw error
    })
    const read: ReadEntry[] = []
    for (const from of ['0', '>']) {
      if (read.length === count) break
      const left = String(count - read.length)
      const reply = await this.#redis.sendCommand<[[string, [string, string[] | null][]]] | null>([
        'XREADGROUP',
        'GROUP',
        group,
        consumer,
        'COUNT',
        left,
        'STREAMS',
        stream,
        from,
      ])
      for (const [id, pairs] of reply?.[0][1] ?? []) {
        if (pairs?.length !== 2) throw new Error(`the entry ${id} has not exactly one field`)
        read.push({ id, text: pairs[1]! })
      }
    }
    return read
  }

  async ack(stream: string, entries: readonly ReadEntry[]): Promise<void> {
    const ids = entries.map(({ id }) => id)
    await this.#redis.sendCommand(['XACK', stream, groupOf(stream), ...ids])
    await this.#redis.sendCommand(['XDEL', stream, ...ids])
  }

  /** How many entries a stream ever had, how many of them its group was given, and what is left of both. */
  async position(stream: string): Promise<{ added: number; read: number; length: number; pending: number }> {
    const info = pairsOf(await this.#redis.sendCommand<unknown[]>(['XINFO', 'STREAM', stream]))
    const [first] = await this.#redis.sendCommand<unknown[][]>(['XINFO', 'GROUPS', stream])
    const group = pairsOf(first ?? [])
    return {
      added: Number(info.get('entries-added')),
      read: Number(group.get('entries-read')),
      length: Number(info.get('length')),
      pending: Number(group.get('pending')),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.destroy()
  }

  async #append(stream: string, field: string, events: readonly object[]): Promise<void> {
    await Promise.all(
      events.map((event) => this.#redis.sendCommand(['XADD', stream, '*', field, JSON.stringify(event)])),
    )
  }

  #cursorKey(stream: string): string {
    const { relayUrl, labelerUrl } = this.#network
    const host = stream === streams.labelLive ? labelerUrl : relayUrl
    return `${stream}:cursor:${host.replace(/^https?:\/\//, '')}`
  }

  async #setCursor(stream: string, cursor: string): Promise<void> {
    await this.#redis.set(this.#cursorKey(stream), cursor)
  }
}

function groupOf(stream: string): string {
  if (stream === streams.repoBackfill) return groups.repoBackfill
  return stream === streams.labelLive ? groups.label : groups.firehose
}

function pairsOf(flat: readonly unknown[]): Map<string, unknown> {
  return new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[String(name), flat[index + 1]] as const] : [])))
}
