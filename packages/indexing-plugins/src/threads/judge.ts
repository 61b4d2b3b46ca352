import { uriAuthority } from '@millrace/indexing'
import { postGateUri, threadGateUri, type ThreadGate } from './gates.ts'
import type { PostNode, Verdict } from './post-node.ts'

/** A record that is replied to, as it is stored. */
export interface ParentFacts {
  /** Its own root, when it is a reply. */
  root: string | null
  invalidReplyRoot: boolean | null
}

/** What verdicts hang on. */
export interface ThreadFacts {
  /** Parents that are indexed, by URI. */
  parents: ReadonlyMap<string, ParentFacts>
  /** Gates that are there, by their own URI. */
  threadGates: ReadonlyMap<string, ThreadGate>
  /** Posts that may not be quoted, by the URI of the gate. */
  quotesForbidden: ReadonlySet<string>
  /** Accounts that root posts mention, by URI of the root. */
  mentions: ReadonlyMap<string, readonly string[]>
  /** Pairs `follower followed`. */
  follows: ReadonlySet<string>
  /** Pairs `list member`. */
  members: ReadonlySet<string>
}

/**
 * Judges posts. A reply's verdict hangs on its parent's, so that parents of the set come first; the parents of a circle
 * of replies are never valid, whichever is looked at first. A function of values.
 */
export function judgePosts(posts: readonly PostNode[], facts: ThreadFacts): Map<string, Verdict> {
  const byUri = new Map(posts.map((post) => [post.uri, post]))
  const verdicts = new Map<string, Verdict>()
  for (const post of posts) {
    // The path up to the first ancestor that is judged, walked without recursion: threads may be long.
    const path: PostNode[] = []
    const onPath = new Set<string>()
    for (
      let next: PostNode | undefined = post;
      next && !verdicts.has(next.uri) && !onPath.has(next.uri);
      next = byUri.get(next.parent ?? '')
    ) {
      path.push(next)
      onPath.add(next.uri)
    }
    for (const each of path.reverse()) verdicts.set(each.uri, judge(each, facts, byUri, verdicts))
  }
  return verdicts
}

function judge(
  post: PostNode,
  facts: ThreadFacts,
  byUri: ReadonlyMap<string, PostNode>,
  verdicts: ReadonlyMap<string, Verdict>,
): Verdict {
  const quoteGate = post.quoted === null ? undefined : postGateUri(post.quoted)
  const violatesEmbeddingRules =
    quoteGate !== undefined && facts.quotesForbidden.has(quoteGate) && uriAuthority(post.quoted!) !== post.creator
      ? true
      : null
  if (post.root === null || post.parent === null)
    return { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules }
  const parent = facts.parents.get(post.parent)
  // A parent of the set that has no verdict yet closes a circle.
  const parentInvalid = byUri.has(post.parent)
    ? (verdicts.get(post.parent)?.invalidReplyRoot ?? !verdicts.has(post.parent))
    : parent?.invalidReplyRoot
  const invalidReplyRoot =
    parent === undefined ||
    parentInvalid === true ||
    (post.parent === post.root ? parent.root !== null : parent.root !== post.root)
  const violatesThreadGate = violatesGate(post.creator, post.root, facts)
  return invalidReplyRoot || violatesThreadGate
    ? { invalidReplyRoot, violatesThreadGate, violatesEmbeddingRules }
    : { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules }
}

function violatesGate(
  replier: string,
  root: string,
  { threadGates, mentions, follows, members }: ThreadFacts,
): boolean {
  const author = uriAuthority(root)
  const gate = threadGates.get(threadGateUri(root) ?? '')
  if (replier === author || !gate || gate.open) return false
  if (gate.mentioned && mentions.get(root)?.includes(replier)) return false
  if (gate.following && follows.has(`${author} ${replier}`)) return false
  if (gate.follower && follows.has(`${replier} ${author}`)) return false
  return !gate.lists.some((list) => members.has(`${list} ${replier}`))
}
