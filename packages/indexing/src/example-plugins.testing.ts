import { migrate, openDatabase, type Database } from '@millrace/database'
import { noMeter, type Counter, type Meter } from '@millrace/stream-protocol'
import { IndexingService, type IndexingServiceOptions } from './indexing-service.ts'
import { defineRecordPlugin } from './plugin.ts'
import { InvalidRecordError, type RecordType } from './record-type.ts'
import { EVENT_TIME } from './testing/index.ts'
import { canonicalTime, uriAuthority } from './values.ts'

export const alice = 'did:plc:alicealicealicealicealic'
export const bob = 'did:plc:bobbobbobbobbobbobbobbob'
export const carol = 'did:plc:carolcarolcarolcarolcaro'

/** Records with these text fields. */
function textRecord<K extends string>(collection: string, ...fields: K[]): RecordType<{ [field in K]: string }> {
  return {
    collection,
    parse(json) {
      for (const field of fields)
        if (typeof json[field] !== 'string') throw new InvalidRecordError(`${field} is not text`)
      return json as { [field in K]: string }
    },
  }
}

export const follow = (subject: string, more: object = {}) => ({ $type: 'test.millrace.follow', subject, ...more })
export const quote = (embed: string, more: object = {}) => ({ $type: 'test.millrace.quote', embed, ...more })

/** An account follows another one only once. */
const followPlugin = defineRecordPlugin({
  collection: textRecord('test.millrace.follow', 'subject'),
  table: 'follow',
  toRow: ({ uri, cid, did, record, indexedAt }) => ({
    uri,
    cid,
    creator: did,
    subjectDid: record.subject,
    createdAt: canonicalTime((record as { createdAt?: string }).createdAt ?? EVENT_TIME),
    indexedAt,
  }),
  uniqueBy: ['creator', 'subjectDid'],
  notify: (row, { record }) => [{ did: record.subject, reason: 'follow', reasonSubject: null, sortAt: row.createdAt }],
  counts: [
    { table: 'profile_agg', key: 'did', column: 'followersCount', of: 'subjectDid' },
    { table: 'profile_agg', key: 'did', column: 'followsCount', of: 'creator' },
  ],
})

/** A record with rows in tables of its own, one of them counted. */
const quotePlugin = defineRecordPlugin({
  collection: textRecord('test.millrace.quote', 'embed'),
  table: 'starter_pack',
  toRow: ({ uri, cid, did, indexedAt }) => ({ uri, cid, creator: did, createdAt: indexedAt, indexedAt, name: null }),
  notify: (_row, { record, indexedAt }) => [
    { did: uriAuthority(record.embed), reason: 'quote', reasonSubject: record.embed, sortAt: indexedAt },
  ],
  parts: [
    {
      table: 'post_embed_record',
      owner: 'postUri',
      toRows: ({ uri, cid, record }) => [{ postUri: uri, embedUri: record.embed, embedCid: cid }],
    },
    {
      table: 'quote',
      owner: 'uri',
      toRows: ({ uri, cid, record, indexedAt }) => [
        { uri, cid, subject: record.embed, subjectCid: cid, createdAt: indexedAt, indexedAt },
      ],
      counts: [{ table: 'post_agg', key: 'uri', column: 'quoteCount', of: 'subject' }],
    },
  ],
})

export const examplePlugins = [followPlugin, quotePlugin]

/** A meter, and what one counter of it has come to, by one of its labels. */
export function meterOf(counter: string, label: string): { meter: Meter; totals: Map<string, number> } {
  const totals = new Map<string, number>()
  const counted: Counter = {
    add: (value, labels) => void totals.set(labels![label]!, (totals.get(labels![label]!) ?? 0) + value),
  }
  const meter: Meter = { ...noMeter, counter: (...args) => (args[0] === counter ? counted : noMeter.counter(...args)) }
  return { meter, totals }
}

export interface ExampleIndexing extends AsyncDisposable {
  database: Database
  service: IndexingService
  query<T = { [column: string]: unknown }>(sql: string, ...values: unknown[]): Promise<T[]>
}

/** A migrated database and a service with the plugins above, its clock a second after EVENT_TIME. */
export async function openExample(
  url: string,
  options: Partial<IndexingServiceOptions> = {},
): Promise<ExampleIndexing> {
  const database = await openDatabase({ url, poolSize: 5, pipeline: true })
  await migrate(database)
  const service = await IndexingService.open({
    database,
    plugins: examplePlugins,
    now: () => Date.parse(EVENT_TIME) + 1_000,
    ...options,
  })
  return {
    database,
    service,
    query: async <T>(sql: string, ...values: unknown[]) =>
      (await database.pool.query<object & T>(sql, values)).rows as T[],
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
