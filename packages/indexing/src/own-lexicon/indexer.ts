import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { IndexingService, StreamIndexer } from '@millrace/indexing'
import { openSqliteStreams } from '@millrace/sqlite-streams' // or @millrace/redis-streams
import { streamEventCodec } from '@millrace/stream-protocol'
import { statusphere } from './statusphere.ts'

const url = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
await using database = await openDatabase({ url, schema: 'statusphere', pipeline: true })
await migrate(database, { sets: [statusphere] })
await using store = await openSqliteStreams({ file: process.env['STREAMS_FILE'] ?? '.millrace/streams.db' })

const { plugins } = statusphere
const indexer = new StreamIndexer({
  source: store.consumer({
    stream: 'firehose_live',
    group: 'statusphere',
    consumer: 'indexer-1',
    codec: streamEventCodec,
  }),
  // What is of another collection is left.
  indexing: await IndexingService.open({ database, plugins, otherCollections: 'skip' }),
  ledger: new PostgresLedger({ database }),
})

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
await indexer.run(stop.signal) // resolves after the batch in hand
