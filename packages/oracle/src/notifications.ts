import { isDid, parseUri } from './at-uri.ts'
import type { Post } from './posts.ts'
import type { Row } from './tables.ts'
import { refOf, type TypedRecord } from './typed-rows.ts'
import { hiddenReplies, type Verdict } from './verdicts.ts'
import type { KeptRecord } from './records.ts'
import type { Json } from './json.ts'

interface Notice {
  did: string
  reason: string
  reasonSubject: string | null
  sortAt: string
}

/** How far up a thread its authors hear of a reply. */
const HEIGHT = 4

/** Who hears of a record that has its row. */
export function noticesOf({ record, row }: TypedRecord): Notice[] {
  const { json, sortAt, indexedAt } = record
  switch (record.collection) {
    case 'app.bsky.feed.like':
    case 'app.bsky.feed.repost': {
      const reason = record.collection.slice('app.bsky.feed.'.length)
      const subject = String(row['subject'])
      const via = refOf(json['via']).uri
      // Of one's own posts nobody is told, however they were found.
      if (parseUri(subject).authority === record.did) return []
      return [
        { did: parseUri(subject).authority, reason, reasonSubject: subject, sortAt },
        ...(via ? [{ did: parseUri(via).authority, reason: `${reason}-via-repost`, reasonSubject: via, sortAt }] : []),
      ]
    }
    case 'app.bsky.graph.follow':
      return [{ did: String(json['subject']), reason: 'follow', reasonSubject: null, sortAt }]
    case 'app.bsky.graph.verification':
      return [{ did: String(json['subject']), reason: 'verified', reasonSubject: null, sortAt }]
    case 'app.bsky.actor.profile': {
      const pack = refOf(json['joinedViaStarterPack']).uri
      if (pack === null) return []
      const did = parseUri(pack).authority
      return [{ did, reason: 'starterpack-joined', reasonSubject: pack, sortAt: indexedAt }]
    }
    default:
      return []
  }
}

/**
 * Who hears of a post: the mentioned, the quoted, and the authors above it, nearest first; each of them once. Nobody of
 * its thread does when its gate forbids it, and nobody above what the author of the thread hides.
 */
export function noticesOfPost(
  post: Post,
  verdict: Verdict,
  posts: ReadonlyMap<string, Post>,
  records: ReadonlyMap<string, Json>,
): Notice[] {
  const { sortAt } = post.record
  const notices: Notice[] = []
  const tell = (did: string, reason: string, reasonSubject: string | null): void => {
    if (did !== post.record.did && !notices.some((notice) => notice.did === did))
      notices.push({ did, reason, reasonSubject, sortAt })
  }
  for (const did of post.mentions) tell(did, 'mention', null)
  if (post.quoted && !verdict.violatesEmbeddingRules)
    tell(parseUri(post.quoted.uri).authority, 'quote', post.quoted.uri)
  if (post.root === null || verdict.violatesThreadGate) return notices
  const hidden = hiddenReplies(post.root, records)
  for (const uri of ancestors(post, post.root, posts)) {
    tell(parseUri(uri).authority, 'reply', uri)
    if (hidden.has(uri)) break
  }
  return notices
}

/** Posts above a reply, nearest first: its parent, and above that those of the thread that it says it is in. */
function ancestors(reply: Post, root: string, posts: ReadonlyMap<string, Post>): string[] {
  const uris: string[] = []
  for (let next = posts.get(reply.parent ?? ''); next && uris.length < HEIGHT; next = posts.get(next.parent ?? '')) {
    if (uris.length > 0 && next.record.uri !== root && next.root !== root) break
    uris.push(next.record.uri)
  }
  return uris
}

/** The rows: only accounts hear of anything, nobody of what they did themselves, and of nothing twice (hazard X14). */
export function notificationRows(
  { uri, cid, did: author }: KeptRecord,
  notices: readonly Notice[],
  isNews: (sortAt: string) => boolean,
): Row[] {
  const rows: Row[] = []
  for (const notice of notices) {
    const isKnown = rows.some(({ did, reason }) => did === notice.did && reason === notice.reason)
    if (isDid(notice.did) && notice.did !== author && !isKnown && isNews(notice.sortAt))
      rows.push({ ...notice, recordUri: uri, recordCid: cid, author })
  }
  return rows
}
