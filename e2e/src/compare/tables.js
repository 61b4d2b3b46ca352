const zero =
  (...columns) =>
  (row) =>
    columns.every((column) => row[column] === 0)
/**
 * The tables that a pipeline fills. `indexedAt` is our clock wherever a record came from a whole repo, and `sortAt`
 * where the record claims to be younger than that.
 */
export const comparedTables = {
  record: { key: ['uri'], clock: ['indexedAt'] },
  actor: { key: ['did'], clock: ['indexedAt'] },
  actor_sync: { key: ['did'] },
  duplicate_record: { key: ['uri'], clock: ['indexedAt'] },
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
  list: { key: ['uri'], clock: ['indexedAt'] },
  list_item: { key: ['uri'], clock: ['indexedAt'] },
  list_block: { key: ['uri'], clock: ['indexedAt'] },
  reference_list_opt_out: { key: ['uri'], clock: ['indexedAt'] },
  feed_generator: { key: ['uri'], clock: ['indexedAt'] },
  starter_pack: { key: ['uri'], clock: ['indexedAt'] },
  labeler: { key: ['uri'], clock: ['indexedAt'] },
  thread_gate: { key: ['uri'], clock: ['indexedAt'] },
  post_gate: { key: ['uri'], clock: ['indexedAt'] },
  verification: { key: ['uri'], clock: ['indexedAt'] },
  notification: { key: ['did', 'recordUri', 'reason', 'reasonSubject'], clock: ['id'] },
  label: { key: ['src', 'uri', 'cid', 'val'] },
}
//# sourceMappingURL=tables.js.map
