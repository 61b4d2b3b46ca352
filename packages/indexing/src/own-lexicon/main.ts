import { migrate, openDatabase } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { statusphere, type StatusTables } from './statusphere.ts'

const url = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'
await using database = await openDatabase({ url, schema: 'statusphere', pipeline: true })
await migrate(database, { sets: [statusphere] })
const indexing = await IndexingService.open({ database, plugins: statusphere.plugins })

const time = new Date().toISOString()
const { outcomes } = await indexing.index([
  {
    type: 'create',
    seq: 101,
    time,
    did: 'did:plc:alice',
    commit: 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm',
    rev: '3mchjvhag2322',
    collection: 'xyz.statusphere.status',
    rkey: '3mchjvhag2222',
    cid: 'bafyreifpnalp6lkacdlejkqm6phvfrd5n6fo5erqwogtumhjnrgnlxybe4',
    record: { $type: 'xyz.statusphere.status', status: '🌊', createdAt: time },
  },
])
console.log(outcomes) // [ 'applied' ], and [ 'duplicate' ] the second time

const db = database.db.withTables<StatusTables>()
const latest = await db
  .selectFrom('status')
  .innerJoin('actor', 'actor.did', 'status.creator')
  .distinctOn('creator')
  .select(['creator', 'handle', 'status'])
  .orderBy('creator')
  .orderBy('createdAt', 'desc')
  .execute()
const popular = await db.selectFrom('status_count').selectAll().orderBy('count', 'desc').limit(10).execute()
console.log(latest, popular) // [ { creator: 'did:plc:alice', handle: null, status: '🌊' } ] [ { status: '🌊', count: 1 } ]
