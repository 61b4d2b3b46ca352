import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { jsonToLex } from '@atproto/lexicon'
import { AtUri } from '@atproto/syntax'
import { CID } from 'multiformats/cid'
import PQueue from 'p-queue'
import type { Pool } from 'pg'
import { measureRun, type Measurement, type SystemOptions } from './measurement.ts'
import { countRecords, parseEvent, readEventLines } from './read-events.ts'

/** As many events in flight as its stream consumer has by default. */
const CONCURRENCY = 10

/** The parts of `@atproto/bsky` that are used here. It does not export them. */
interface ReferenceDatabase {
  readonly pool: Pick<Pool, 'query'>
  migrateToLatestOrThrow(): Promise<unknown>
  close(): Promise<void>
}
interface ReferenceBackground {
  processAll(): Promise<void>
}
interface ReferenceIndexing {
  indexRecord(uri: AtUri, cid: CID, record: unknown, action: 'create' | 'update', time: string): Promise<void>
  deleteRecord(uri: AtUri): Promise<void>
  setCommitLastSeen(did: string, commit: CID, rev: string): Promise<void>
}
interface ReferenceModules {
  Database: new (options: { url: string; schema: string; poolSize: number }) => ReferenceDatabase
  BackgroundQueue: new (db: ReferenceDatabase, options?: { concurrency: number }) => ReferenceBackground
  IndexingService: new (db: ReferenceDatabase, resolver: object, background: ReferenceBackground) => ReferenceIndexing
}

/**
 * The indexer of the AppView itself (`IndexingService` of `@atproto/bsky`), one event at a time, ten in flight. Its
 * clock stops when the counts that it leaves to a queue are written, and does not include reading from Redis.
 *
 * With ten in flight a reply may come before its parent, and a deletion before what it deletes; the rows then depend on
 * chance. To compare rows it is run once more, in order.
 */
export async function indexWithReference({
  eventsFile,
  postgresUrl,
  inOrder = false,
}: SystemOptions): Promise<Measurement> {
  const { Database, BackgroundQueue, IndexingService } = await loadReference()
  const database = new Database({ url: postgresUrl, schema: 'bsky', poolSize: 20 })
  await database.migrateToLatestOrThrow()
  const background = new BackgroundQueue(database, inOrder ? { concurrency: 1 } : undefined)
  const indexing = new IndexingService(database, offlineResolver, background)
  const lines = await readEventLines(eventsFile)
  const queue = new PQueue({ concurrency: inOrder ? 1 : CONCURRENCY })
  let failed = 0
  const index = async (line: string): Promise<void> => {
    const event = parseEvent(line)
    // It has no such event: the revision of a repo comes with each record.
    if (event.type === 'repo') return
    const uri = AtUri.make(event.did, event.collection, event.rkey)
    try {
      if (event.type === 'delete') await indexing.deleteRecord(uri)
      else await indexing.indexRecord(uri, CID.parse(event.cid), jsonToLex(event.record), event.type, event.time)
      await indexing.setCommitLastSeen(event.did, CID.parse(event.commit), event.rev)
    } catch (error) {
      if (failed++ === 0) console.error(error)
    }
  }
  const cost = await measureRun(database.pool, async () => {
    for (const line of lines) {
      if (queue.size > 200) await queue.onSizeLessThan(100)
      void queue.add(() => index(line))
    }
    await queue.onIdle()
    await background.processAll()
  })
  await database.close()
  const records = countRecords(lines)
  return { system: 'reference', records, failed, roundTrips: null, perSecond: records / cost.seconds, ...cost }
}

const offlineResolver = {
  did: {
    resolve: () => Promise.resolve(null),
    resolveAtprotoData: () => Promise.reject(new Error('the benchmark has no network')),
  },
  handle: { resolve: () => Promise.resolve(undefined) },
}

async function loadReference(): Promise<ReferenceModules> {
  const server = path.join(path.dirname(fileURLToPath(import.meta.resolve('@atproto/bsky'))), 'data-plane/server')
  const load = (file: string): Promise<Partial<ReferenceModules>> => import(pathToFileURL(path.join(server, file)).href)
  const modules = await Promise.all(['db/index.js', 'background.js', 'indexing/index.js'].map(load))
  return Object.assign({}, ...modules) as ReferenceModules
}
