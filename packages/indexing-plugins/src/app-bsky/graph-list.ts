import type { AppBskyGraphList } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { jsonOrNull } from '../json-column.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.graph.list` to `list`. */
export const graphList = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphList.Record>('app.bsky.graph.list'),
  table: 'list',
  toRow: (context) => {
    const { name, purpose, description, descriptionFacets, avatar } = context.record
    return {
      ...baseRow(context),
      name,
      purpose,
      description: description ?? null,
      descriptionFacets: jsonOrNull(descriptionFacets),
      avatarCid: avatar?.ref.toString() ?? null,
    }
  },
})
