import type { Json, NotOurs, SortKey, WithDefault } from './column-types.ts'

export interface PostTable {
  uri: string
  cid: string
  creator: string
  text: string
  replyRoot: string | null
  replyRootCid: string | null
  replyParent: string | null
  replyParentCid: string | null
  createdAt: string
  indexedAt: string
  sortAt: SortKey
  langs: Json<string[]>
  invalidReplyRoot: boolean | null
  violatesThreadGate: boolean | null
  tags: Json<string[]>
  violatesEmbeddingRules: boolean | null
  hasThreadGate: boolean | null
  hasPostGate: boolean | null
}

export interface PostAggTable {
  uri: string
  likeCount: WithDefault<number>
  replyCount: WithDefault<number>
  repostCount: WithDefault<number>
  quoteCount: WithDefault<number>
  bookmarkCount: NotOurs<number>
}

export interface PostEmbedImageTable {
  postUri: string
  /** From 0, as text. */
  position: string
  imageCid: string
  alt: string
}

export type PostEmbedGalleryImageTable = PostEmbedImageTable

export interface PostEmbedVideoTable {
  postUri: string
  videoCid: string
  alt: string | null
}

export interface PostEmbedExternalTable {
  postUri: string
  uri: string
  title: string
  description: string
  thumbCid: string | null
}

export interface PostEmbedRecordTable {
  postUri: string
  embedUri: string
  embedCid: string
}

export interface QuoteTable {
  uri: string
  cid: string
  subject: string
  subjectCid: string
  createdAt: string
  indexedAt: string
  sortAt: SortKey
}

/** A reply in a thread by the thread's author to themselves. A deleted one stays, with the time of its deletion. */
export interface OpThreadReplyTable {
  rootUri: string
  parentUri: string
  uri: string
  deletedAt: string | null
}

export interface FeedItemTable {
  uri: string
  cid: string
  type: 'post' | 'repost'
  postUri: string
  originatorDid: string
  sortAt: string
}

export interface ThreadGateTable {
  uri: string
  cid: string
  creator: string
  postUri: string
  createdAt: string
  indexedAt: string
}

export type PostGateTable = ThreadGateTable
