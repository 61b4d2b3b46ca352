import { canonicalTime, type RecordContext } from '@millrace/indexing'

/** The columns that almost every typed table begins with. */
export type BaseRow = { uri: string; cid: string; creator: string; createdAt: string; indexedAt: string }

export function baseRow({ uri, cid, did, record, indexedAt }: RecordContext<{ createdAt: string }>): BaseRow {
  return { uri, cid, creator: did, createdAt: canonicalTime(record.createdAt), indexedAt }
}

/** Where a row stands in lists: when its author says it was made, but not later than when we saw it. */
export function sortAt({ createdAt, indexedAt }: Pick<BaseRow, 'createdAt' | 'indexedAt'>): string {
  return createdAt < indexedAt ? createdAt : indexedAt
}
