import type { LexiconDoc } from '@atproto/lexicon'
import type { Database } from '@millrace/database'
import type { StatusRow } from './statusphere.ts'

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
        properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 50 } },
      },
      output: {
        encoding: 'application/json',
        schema: {
          type: 'object',
          required: ['statuses'],
          properties: { statuses: { type: 'array', items: { type: 'ref', ref: '#statusView' } } },
        },
      },
    },
    statusView: {
      type: 'object',
      required: ['uri', 'did', 'status', 'createdAt'],
      properties: {
        uri: { type: 'string', format: 'at-uri' },
        did: { type: 'string', format: 'did' },
        handle: { type: 'string', description: 'Absent while it is not known that account and handle agree.' },
        status: { type: 'string' },
        createdAt: { type: 'string', format: 'datetime' },
      },
    },
  },
}

/** The newest status of each account, newest first. */
export async function getStatuses({ db }: Database, limit: number) {
  const newest = db
    .withTables<{ status: StatusRow }>()
    .selectFrom('status')
    .distinctOn('creator')
    .select(['uri', 'creator', 'status', 'createdAt'])
    .orderBy('creator')
    .orderBy('createdAt', 'desc')
    .orderBy('uri', 'desc')
  const rows = await db
    .selectFrom(newest.as('status'))
    .innerJoin('actor', 'actor.did', 'status.creator')
    .select(['status.uri', 'actor.did', 'actor.handle', 'status.status', 'status.createdAt'])
    // An account that is deactivated, suspended or taken down is not shown.
    .where('actor.upstreamStatus', 'is', null)
    .where('actor.takedownRef', 'is', null)
    .orderBy('status.createdAt', 'desc')
    .orderBy('status.uri', 'desc')
    .limit(limit)
    .execute()
  return { statuses: rows.map(({ handle, ...row }) => ({ ...row, ...(handle !== null && { handle }) })) }
}
