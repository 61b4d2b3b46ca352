// Run by `npm run check:packages` as a stranger would write it: a simulated network, its firehose in SQLite streams, and
// the rows of app.bsky in a Postgres of npm. It imports nothing but published packages.
import { strict as assert } from 'node:assert'
import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { startSimulatedNetwork } from '@millrace/dev-network'
import { IndexingService, StreamIndexer } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { FirehoseIngester } from '@millrace/ingest'
import { startPostgres } from '@millrace/local-services'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { streamEventCodec } from '@millrace/stream-protocol'

await using network = await startSimulatedNetwork({ accounts: 8, recordsPerAccount: 10, seed: 1 })
await using postgres = await startPostgres()
await using database = await openDatabase({ url: postgres.url, pipeline: true })
await migrate(database)
await using store = await openSqliteStreams({ file: './streams.db' })

const ingester = new FirehoseIngester({
  host: network.relayUrl,
  sink: store.writer({ stream: 'firehose_live', codec: streamEventCodec }),
  cursors: store.cursors,
  startCursor: '0',
})
const indexer = new StreamIndexer({
  source: store.consumer({ stream: 'firehose_live', group: 'app', consumer: 'one', codec: streamEventCodec }),
  indexing: await IndexingService.open({ database, plugins: appBskyPlugins }),
  ledger: new PostgresLedger({ database }),
})
const stop = new AbortController()
const running = Promise.all([ingester.run(stop.signal), indexer.run(stop.signal)])

const posts = network.records().filter(({ uri }) => uri.includes('/app.bsky.feed.post/'))
const read = () => database.db.selectFrom('post').select('uri').orderBy('uri').execute()
while ((await read()).length < posts.length) await new Promise((resolve) => setTimeout(resolve, 20))
stop.abort()
await running

assert.deepEqual(
  (await read()).map(({ uri }) => uri),
  posts.map(({ uri }) => uri).toSorted(),
)
console.log(`${posts.length} posts of ${network.accounts.length} accounts indexed`)
