import { uriAuthority, uriCollection, uriRkey } from '@millrace/indexing'
import { isObject, type JsonObject } from '@millrace/stream-protocol'

const POST = 'app.bsky.feed.post'

/** Where the gate of a thread is, if there is one: beside its root post. Other records have none. */
export function threadGateUri(root: string): string | undefined {
  return uriCollection(root) === POST
    ? `at://${uriAuthority(root)}/app.bsky.feed.threadgate/${uriRkey(root)}`
    : undefined
}

/** Where the gate of a quoted post is, if there is one. */
export function postGateUri(post: string): string | undefined {
  return uriCollection(post) === POST ? `at://${uriAuthority(post)}/app.bsky.feed.postgate/${uriRkey(post)}` : undefined
}

/** Who may reply: nobody but the author when no rule is set. */
export interface ThreadGate {
  mentioned: boolean
  following: boolean
  follower: boolean
  lists: readonly string[]
  /** Replies that the author hides. */
  hiddenReplies: readonly string[]
  /** A gate without rules lets everyone in. */
  open: boolean
}

export function readThreadGate(json: JsonObject): ThreadGate {
  const allow = json['allow']
  const rules = Array.isArray(allow) ? allow.filter(isObject) : []
  const has = (rule: string): boolean => rules.some((each) => each['$type'] === `app.bsky.feed.threadgate#${rule}`)
  return {
    mentioned: has('mentionRule'),
    following: has('followingRule'),
    follower: has('followerRule'),
    lists: rules.flatMap((rule) =>
      rule['$type'] === 'app.bsky.feed.threadgate#listRule' && typeof rule['list'] === 'string' ? [rule['list']] : [],
    ),
    hiddenReplies: Array.isArray(json['hiddenReplies'])
      ? json['hiddenReplies'].filter((uri) => typeof uri === 'string')
      : [],
    open: !Array.isArray(allow),
  }
}

/** Whether a gate keeps others from quoting the post. */
export function forbidsQuotes(json: JsonObject): boolean {
  const rules = json['embeddingRules']
  return (
    Array.isArray(rules) &&
    rules.some((rule) => isObject(rule) && rule['$type'] === 'app.bsky.feed.postgate#disableRule')
  )
}

/** DIDs that a post's text mentions. */
export function mentionsOf(json: JsonObject): string[] {
  const facets = Array.isArray(json['facets']) ? json['facets'].filter(isObject) : []
  return facets
    .flatMap((facet) => (Array.isArray(facet['features']) ? facet['features'].filter(isObject) : []))
    .flatMap((feature) =>
      feature['$type'] === 'app.bsky.richtext.facet#mention' && typeof feature['did'] === 'string'
        ? [feature['did']]
        : [],
    )
}
