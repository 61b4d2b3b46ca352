import { defineRecordPlugin, recordType } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'

/** Newer than the lexicons that `@atproto/api` brings. */
const optOut = recordType({
  lexicon: 1,
  id: 'app.bsky.graph.referencelistoptout',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['subject', 'createdAt'],
        properties: {
          subject: { type: 'string', format: 'at-uri' },
          createdAt: { type: 'string', format: 'datetime' },
        },
      },
    },
  },
})

/** The one form that readers look up: a list by DID, nothing before or after it. */
const listUri = /^at:\/\/did:[a-z]+:[a-zA-Z0-9._:%-]+\/app\.bsky\.graph\.list\/[a-zA-Z0-9_~.:-]{1,512}$/

/** `app.bsky.graph.referencelistoptout` to `reference_list_opt_out`. One whose subject is no list by DID has no row. */
export const graphReferencelistoptout = defineRecordPlugin({
  collection: optOut,
  table: 'reference_list_opt_out',
  toRow: (context) =>
    listUri.test(context.record.subject) ? { ...baseRow(context), subjectUri: context.record.subject } : null,
  uniqueBy: ['creator', 'subjectUri'],
})
