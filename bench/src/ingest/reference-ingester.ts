import { lexToJson } from '@atproto/lexicon'
import { Firehose, MemoryRunner, type Event } from '@atproto/sync'
import { createClient } from 'redis'
import { measureIngest, type IngestMeasurement, type IngestOptions } from './measurement.ts'
import { LAST_DID } from './recorded-frames.ts'

/** Entries that it appends at a time. */
const BATCH = 500

/**
 * The way in that others of this kind have: `Firehose` of `@atproto/sync`, which takes commits at their word, ten events
 * in flight, each operation as JSON, 500 entries to Redis at a time.
 */
export async function ingestWithReference({ url, redisUrl, stream }: IngestOptions): Promise<IngestMeasurement> {
  // A timer for each command would cost it more than the command.
  const redis = createClient({ url: redisUrl, commandOptions: { timeout: 0 } })
  await redis.connect()
  let batch: string[] = []
  const flush = async (): Promise<void> => {
    const entries = batch
    batch = []
    await Promise.all(entries.map((event) => redis.xAdd(stream, '*', { event })))
  }
  const last = Promise.withResolvers<void>()
  const runner = new MemoryRunner({ concurrency: 10 })
  const firehose = new Firehose({
    service: url.replace(/^http/, 'ws'),
    unauthenticatedCommits: true,
    unauthenticatedHandles: true,
    runner,
    idResolver: offlineResolver,
    handleEvent: async (event) => {
      batch.push(JSON.stringify(entryOf(event)))
      if (event.did === LAST_DID) last.resolve()
      if (batch.length >= BATCH) await flush()
    },
    onError: last.reject,
  })
  const cost = await measureIngest(async () => {
    void firehose.start()
    await last.promise
    await runner.processAll()
    await flush()
  })
  await firehose.destroy()
  await redis.close()
  return cost
}

function entryOf(event: Event): object {
  const { event: type, seq, time, did } = event
  switch (event.event) {
    case 'create':
    case 'update': {
      const { commit, rev, collection, rkey, cid } = event
      const record = lexToJson(event.record)
      return { type, seq, time, did, commit: commit.toString(), rev, collection, rkey, cid: cid.toString(), record }
    }
    case 'delete': {
      const { commit, rev, collection, rkey } = event
      return { type, seq, time, did, commit: commit.toString(), rev, collection, rkey }
    }
    case 'account':
      return { type, seq, time, did, active: event.active, status: event.status }
    case 'identity':
      return { type, seq, time, did, handle: event.handle }
    case 'sync':
    default:
      return { type: 'repo', seq, time, did, rev: event.rev, commit: event.cid.toString() }
  }
}

/** It asks about identities, and takes nothing for an answer. */
const offlineResolver = {
  did: { resolve: () => Promise.resolve(null) },
  handle: { resolve: () => Promise.resolve(undefined) },
} as unknown as ConstructorParameters<typeof Firehose>[0]['idResolver']
