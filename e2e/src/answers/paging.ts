import { isObject, type JsonObject } from '@millrace/stream-protocol'
import type { RowIndex } from '../compare/deviations.ts'
import type { Row } from '@millrace/oracle'
import type { RecordedCall } from './recorded-calls.ts'

/** How a method lists the rows of a table, newest first, some at a time. */
export interface Paging {
  table: string
  /** Key of the row that an item shows. */
  keyOf: (item: JsonObject, call: RecordedCall) => unknown[]
  isRow: (row: Row, key: readonly unknown[]) => boolean
  /** Whether the row belongs into the list at all. */
  isListed: (row: Row, call: RecordedCall, rows: RowIndex) => boolean
  /** Whether the row comes after the end of a page. */
  isBehind: (row: Row, cursor: string) => boolean
}

/** Undefined for what is not listed in pages, or does not change with rows that differ on purpose. */
export function pagingOf({ nsid }: RecordedCall, field: string): Paging | undefined {
  if (field === 'feed') return feeds[nsid]
  return nsid === 'app.bsky.notification.listNotifications' && field === 'notifications' ? notifications : undefined
}

const feed: Omit<Paging, 'isListed'> = {
  table: 'feed_item',
  keyOf: ({ post, reason }) => [uriOf(reason) ?? uriOf(post)],
  isRow: ({ uri }, [key]) => uri === key,
  isBehind: ({ sortAt, cid }, cursor) => {
    const [time, endCid] = cursor.split('__')
    const at = Date.parse(String(sortAt))
    return at < Number(time) || (at === Number(time) && String(cid) < String(endCid))
  },
}

const feeds: Readonly<Record<string, Paging>> = {
  'app.bsky.feed.getAuthorFeed': {
    ...feed,
    isListed: ({ originatorDid }, { params }, rows) =>
      originatorDid === params['actor'] ||
      rows.find('actual', 'actor', 'handle', params['actor'])?.['did'] === originatorDid,
  },
  'app.bsky.feed.getTimeline': {
    ...feed,
    isListed: ({ originatorDid }, { viewer }, rows) =>
      originatorDid === viewer ||
      rows
        .all('actual', 'follow')
        .some(({ creator, subjectDid }) => creator === viewer && subjectDid === originatorDid),
  },
}

const notifications: Paging = {
  table: 'notification',
  keyOf: ({ uri, reason, reasonSubject }, { viewer }) => [viewer, uri, reason, reasonSubject],
  isRow: ({ did, recordUri, reason, reasonSubject }, [viewer, uri, why, about]) =>
    did === viewer && recordUri === uri && reason === why && (reasonSubject ?? undefined) === about,
  isListed: ({ did }, { viewer }) => did === viewer,
  isBehind: ({ sortAt }, cursor) => String(sortAt) < cursor,
}

function uriOf(view: unknown): string | undefined {
  const uri = isObject(view) ? view['uri'] : undefined
  return typeof uri === 'string' ? uri : undefined
}
