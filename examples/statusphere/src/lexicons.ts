import type { LexiconDoc } from '@atproto/lexicon'

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

/** What this AppView answers. */
export const getStatusesLexicon: LexiconDoc = {
  lexicon: 1,
  id: 'xyz.statusphere.getStatuses',
  defs: {
    main: {
      type: 'query',
      description: 'The newest status of each account, newest first.',
      parameters: {
        type: 'params',
        properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 }, cursor: { type: 'string' } },
      },
      output: {
        encoding: 'application/json',
        schema: {
          type: 'object',
          required: ['statuses'],
          properties: {
            cursor: { type: 'string' },
            statuses: { type: 'array', items: { type: 'ref', ref: '#statusView' } },
          },
        },
      },
    },
    statusView: {
      type: 'object',
      required: ['uri', 'did', 'status', 'createdAt'],
      properties: {
        uri: { type: 'string', format: 'at-uri' },
        did: { type: 'string', format: 'did' },
        handle: { type: 'string' },
        status: { type: 'string' },
        createdAt: { type: 'string', format: 'datetime' },
      },
    },
  },
}
