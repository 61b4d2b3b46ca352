import type { AddedRow, Cell, Row } from '@millrace/indexing'

/** A post as its verdicts need it. */
export interface PostNode {
  uri: string
  cid: string
  creator: string
  /** Root and parent that it says it replies to; null for a post that is no reply. */
  root: string | null
  parent: string | null
  /** The post it quotes. */
  quoted: string | null
  sortAt: string
  stored: Verdict
  /** Written in this transaction: nobody was told of it yet. */
  isNew: boolean
}

/** What depends on other records. `null` is no: a reply has both of the first two or neither. */
export interface Verdict {
  invalidReplyRoot: boolean | null
  violatesThreadGate: boolean | null
  violatesEmbeddingRules: boolean | null
}

const unjudged: Verdict = { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules: null }

/** A post of this batch. */
export function newPost({ row }: AddedRow, quoted: string | null): PostNode {
  const { uri, cid, creator, createdAt, indexedAt } = row as { [column: string]: string }
  return {
    uri: uri!,
    cid: cid!,
    creator: creator!,
    root: row['replyRoot'] as string | null,
    parent: row['replyParent'] as string | null,
    quoted,
    sortAt: createdAt! < indexedAt! ? createdAt! : indexedAt!,
    stored: unjudged,
    isNew: true,
  }
}

/** A post that is there, from its row joined with its `quote`. */
export function storedPost(row: Row): PostNode {
  const text = (cell: Cell | undefined): string => cell as string
  return {
    uri: text(row['uri']),
    cid: text(row['cid']),
    creator: text(row['creator']),
    root: row['replyRoot'] as string | null,
    parent: row['replyParent'] as string | null,
    quoted: row['quoted'] as string | null,
    sortAt: text(row['sortAt']),
    stored: {
      invalidReplyRoot: row['invalidReplyRoot'] as boolean | null,
      violatesThreadGate: row['violatesThreadGate'] as boolean | null,
      violatesEmbeddingRules: row['violatesEmbeddingRules'] as boolean | null,
    },
    isNew: false,
  }
}

export function sameVerdict(a: Verdict, b: Verdict): boolean {
  return (
    a.invalidReplyRoot === b.invalidReplyRoot &&
    a.violatesThreadGate === b.violatesThreadGate &&
    a.violatesEmbeddingRules === b.violatesEmbeddingRules
  )
}
