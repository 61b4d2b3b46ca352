import { canonicalTime, definePluginSet, defineRecordPlugin, recordType } from '@millrace/indexing'

/** What people write into their repos. The JSON of the lexicon, `as const`: TypeScript knows the fields from it. */
export const statusLexicon = {
  lexicon: 1,
  id: 'xyz.statusphere.status',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['status', 'createdAt'],
        properties: {
          status: { type: 'string', minLength: 1, maxGraphemes: 1, maxLength: 32 },
          createdAt: { type: 'string', format: 'datetime' },
        },
      },
    },
  },
} as const

export type StatusRow = {
  uri: string
  cid: string
  creator: string
  status: string
  createdAt: string
  indexedAt: string
}

export const statusPlugin = defineRecordPlugin({
  collection: recordType(statusLexicon),
  table: 'status',
  toRow: ({ uri, cid, did, record, indexedAt }): StatusRow => ({
    uri,
    cid,
    creator: did,
    status: record.status,
    createdAt: canonicalTime(record.createdAt),
    indexedAt,
  }),
  counts: [{ table: 'status_count', key: 'status', column: 'count', of: 'status' }],
})

export const statusphere = definePluginSet({
  name: 'xyz.statusphere',
  plugins: [statusPlugin],
  migrations: [
    {
      name: '0001-status',
      sql: `
        create table status (
          uri text primary key,
          cid text not null,
          creator text not null,
          status text not null,
          "createdAt" text not null,
          "indexedAt" text not null
        );
        create index status_creator_idx on status (creator, "createdAt");
        create index status_status_idx on status (status);
        create table status_count (status text primary key, count bigint not null default 0)`,
    },
  ],
})
