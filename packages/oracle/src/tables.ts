export type Row = { [column: string]: unknown }
/** Rows by table. */
export type Rows = ReadonlyMap<string, readonly Row[]>

export interface ComparedTable {
  /** Columns that identify a row. */
  key: readonly string[]
  /** Columns that say when something was done, not what: compared only for being there. */
  clock?: readonly string[]
  /** Columns of JSON text: the order of keys says nothing. */
  json?: readonly string[]
  /** Rows that say the same as no row. */
  isEmpty?: (row: Row) => boolean
}

const zero =
  (...columns: string[]) =>
  (row: Row): boolean =>
    columns.every((column) => row[column] === 0)

/** The tables that a pipeline fills. `indexedAt` is our clock wherever a record came with a whole repo. */
export const comparedTables: Readonly<Record<string, ComparedTable>> = {
  record: { key: ['uri'], clock: ['indexedAt'], json: ['json'] },
  actor: { key: ['did'], clock: ['indexedAt'] },
  actor_sync: { key: ['did'] },
  duplicate_record: { key: ['uri'], clock: ['indexedAt'], json: ['json'] },
  profile: { key: ['uri'], clock: ['indexedAt', 'createdAt'] },
  profile_agg: { key: ['did'], isEmpty: zero('followersCount', 'followsCount', 'postsCount') },
  post: { key: ['uri'], clock: ['indexedAt'] },
  post_agg: { key: ['uri'], isEmpty: zero('likeCount', 'replyCount', 'repostCount', 'quoteCount') },
  post_embed_image: { key: ['postUri', 'position'] },
  post_embed_gallery_image: { key: ['postUri', 'position'] },
  post_embed_external: { key: ['postUri'] },
  post_embed_record: { key: ['postUri', 'embedUri'] },
  post_embed_video: { key: ['postUri'] },
  feed_item: { key: ['uri'] },
  quote: { key: ['uri'], clock: ['indexedAt'] },
  op_thread_reply: { key: ['rootUri', 'uri'], clock: ['deletedAt'] },
  like: { key: ['uri'], clock: ['indexedAt'] },
  repost: { key: ['uri'], clock: ['indexedAt'] },
  follow: { key: ['uri'], clock: ['indexedAt'] },
  actor_block: { key: ['uri'], clock: ['indexedAt'] },
  list: { key: ['uri'], clock: ['indexedAt'], json: ['descriptionFacets'] },
  list_item: { key: ['uri'], clock: ['indexedAt'] },
  list_block: { key: ['uri'], clock: ['indexedAt'] },
  reference_list_opt_out: { key: ['uri'], clock: ['indexedAt'] },
  feed_generator: { key: ['uri'], clock: ['indexedAt'], json: ['descriptionFacets'] },
  starter_pack: { key: ['uri'], clock: ['indexedAt'] },
  labeler: { key: ['uri'], clock: ['indexedAt'] },
  thread_gate: { key: ['uri'], clock: ['indexedAt'] },
  post_gate: { key: ['uri'], clock: ['indexedAt'] },
  verification: { key: ['uri'], clock: ['indexedAt'] },
  notification: { key: ['did', 'recordUri', 'reason', 'reasonSubject'], clock: ['id'] },
  label: { key: ['src', 'uri', 'cid', 'val'] },
}
