import type { AppBskyGraphListitem } from '@atproto/api'
import { defineRecordPlugin, InvalidRecordError, uriAuthority } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/**
 * `app.bsky.graph.listitem` to `list_item`: one row for each list and member. An item of somebody else's list is
 * invalid.
 */
export const graphListitem = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphListitem.Record>('app.bsky.graph.listitem'),
  table: 'list_item',
  toRow: (context) => {
    const { subject, list } = context.record
    if (uriAuthority(list) !== context.did)
      throw new InvalidRecordError(`item of a list that is not the author's own: ${list}`)
    return { ...baseRow(context), subjectDid: subject, listUri: list }
  },
  uniqueBy: ['listUri', 'subjectDid'],
})
