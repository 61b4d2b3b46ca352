// Run by `npm run check:packages` as a stranger would write it: an indexer of a lexicon of one's own, on SQLite streams
// and a Postgres of npm. It imports nothing but published packages.
import { strict as assert } from 'node:assert'
import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { definePluginSet, defineRecordPlugin, IndexingService, recordType, StreamIndexer } from '@millrace/indexing'
import { startPostgres } from '@millrace/local-services'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { streamEventCodec, type CreateEvent } from '@millrace/stream-protocol'

const lexicon = {
  lexicon: 1,
  id: 'com.example.note',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: { type: 'object', required: ['text'], properties: { text: { type: 'string', maxLength: 300 } } },
    },
  },
} as const

type NoteTables = { note: { uri: string; creator: string; text: string } }

const notes = definePluginSet({
  name: 'com.example',
  plugins: [
    defineRecordPlugin({
      collection: recordType(lexicon),
      table: 'note',
      toRow: ({ uri, did, record }): NoteTables['note'] => ({ uri, creator: did, text: record.text }),
    }),
  ],
  migrations: [
    { name: '0001-note', sql: 'create table note (uri text primary key, creator text not null, text text not null)' },
  ],
})

await using postgres = await startPostgres()
await using database = await openDatabase({ url: postgres.url, pipeline: true })
await migrate(database, { sets: [notes] })
await using store = await openSqliteStreams({ file: './streams.db' })

const note: CreateEvent = {
  type: 'create',
  seq: 1,
  time: '2026-01-15T10:00:00.000Z',
  did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
  commit: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
  rev: '3mchjvhag2322',
  collection: 'com.example.note',
  rkey: '3mchjvhag2222',
  cid: 'bafyreifpnalp6lkacdlejkqm6phvfrd5n6fo5erqwogtumhjnrgnlxybe4',
  record: { $type: 'com.example.note', text: 'hello' },
}
const second = { ...note, seq: 2, rkey: '3mchjvhag2223', rev: '3mchjvhag2323' }
await store.writer({ stream: 'firehose_live', codec: streamEventCodec }).append([note, second])

const indexer = new StreamIndexer({
  source: store.consumer({ stream: 'firehose_live', group: 'notes', consumer: 'one', codec: streamEventCodec }),
  indexing: await IndexingService.open({ database, plugins: notes.plugins, otherCollections: 'skip' }),
  ledger: new PostgresLedger({ database }),
})
const stop = new AbortController()
const running = indexer.run(stop.signal)

const db = database.db.withTables<NoteTables>()
const read = () => db.selectFrom('note').selectAll().orderBy('uri').execute()
while ((await read()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
stop.abort()
await running

const rows = await read()
assert.deepEqual(rows[0], {
  uri: 'at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/com.example.note/3mchjvhag2222',
  creator: note.did,
  text: 'hello',
})
console.log(`${rows.length} notes indexed`)
