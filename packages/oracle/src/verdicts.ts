import { beside, isPost, parseUri } from './at-uri.ts'
import { object, objects, textOrNull, texts, type Json } from './json.ts'
import { mentionsOf, type Post } from './posts.ts'

/** What a post is in its thread; `null` is no. */
export interface Verdict {
  invalidReplyRoot: boolean | null
  violatesThreadGate: boolean | null
  violatesEmbeddingRules: boolean | null
}

/** What verdicts hang on. */
export interface Surroundings {
  /** JSON of records that are kept, by URI. */
  records: ReadonlyMap<string, Json>
  posts: ReadonlyMap<string, Post>
  /** Whether an account follows another one. */
  follows: (did: string, other: string) => boolean
  isListed: (list: string, did: string) => boolean
  /** Whether the gate forbade a reply when it was judged, where that hangs on follows or lists; see `Observed`. */
  wasForbidden?: ((uri: string) => boolean) | undefined
}

export function judge(post: Post, surroundings: Surroundings): Verdict {
  const violatesEmbeddingRules = mayNotQuote(post, surroundings.records) ? true : null
  if (post.root === null) return { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules }
  const invalidReplyRoot = !isValidReply(post, surroundings)
  const violatesThreadGate = isForbidden(post, post.root, surroundings)
  return invalidReplyRoot || violatesThreadGate
    ? { invalidReplyRoot, violatesThreadGate, violatesEmbeddingRules }
    : { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules }
}

/** A reply is valid when all above it are there, up to its root, and say the same root. */
function isValidReply(reply: Post, { records, posts }: Surroundings): boolean {
  const seen = new Set<string>()
  for (let post: Post = reply; ;) {
    const { root, parent } = post
    if (root === null) return true // the first of a thread
    if (parent === null || !records.has(parent) || seen.has(post.record.uri)) return false
    seen.add(post.record.uri)
    const above = posts.get(parent)
    // The root of a thread is no reply; what is between says the same root. Other records have no thread.
    if ((above?.root ?? null) !== (parent === root ? null : root)) return false
    if (!above) return true
    post = above
  }
}

/** Where the rules of a thread are, if its root can have any. */
function threadGateOf(root: string): string | null {
  return isPost(root) ? beside(root, 'app.bsky.feed.threadgate') : null
}

function isForbidden({ record }: Post, root: string, surroundings: Surroundings): boolean {
  const { records, follows, isListed, wasForbidden } = surroundings
  const author = parseUri(root).authority
  const allow = object(records.get(threadGateOf(root) ?? ''))['allow']
  if (record.did === author || !Array.isArray(allow)) return false
  const rules = objects(allow)
  const has = (name: string): boolean => rules.some((rule) => rule['$type'] === `app.bsky.feed.threadgate#${name}`)
  const lists = rules
    .filter((rule) => rule['$type'] === 'app.bsky.feed.threadgate#listRule')
    .flatMap((rule) => textOrNull(rule['list']) ?? [])
  if (has('mentionRule') && mentionsOf(object(records.get(root))).includes(record.did)) return false
  if (!has('followingRule') && !has('followerRule') && lists.length === 0) return true
  // Follows and members count as they are when a reply is judged: what comes later does not judge it again.
  if (wasForbidden) return wasForbidden(record.uri)
  return !(
    (has('followingRule') && follows(author, record.did)) ||
    (has('followerRule') && follows(record.did, author)) ||
    lists.some((list) => isListed(list, record.did))
  )
}

function mayNotQuote({ record, quoted }: Post, records: ReadonlyMap<string, Json>): boolean {
  if (!quoted || parseUri(quoted.uri).authority === record.did) return false
  const gate = object(records.get(beside(quoted.uri, 'app.bsky.feed.postgate')))
  return objects(gate['embeddingRules']).some((rule) => rule['$type'] === 'app.bsky.feed.postgate#disableRule')
}

/** Replies that the author of a thread hides. */
export function hiddenReplies(root: string, records: ReadonlyMap<string, Json>): ReadonlySet<string> {
  return new Set(texts(object(records.get(threadGateOf(root) ?? ''))['hiddenReplies']))
}
