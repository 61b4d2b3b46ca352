import type { AppBskyFeedPost } from '@atproto/api'
import {
  notificationRows,
  type AppliedRows,
  type Derivation,
  type DerivedEffects,
  type Session,
  type Statement,
} from '@millrace/indexing'
import { quotedPost } from '../app-bsky/post-embeds.ts'
import { mentionsOf, threadGateUri, type ThreadGate } from './gates.ts'
import { judgePosts } from './judge.ts'
import { loadAncestors, loadDependents, loadFacts, loadNotifications } from './load.ts'
import { postNotifications } from './notify.ts'
import { newPost, sameVerdict, type PostNode, type Verdict } from './post-node.ts'
import { replyCount } from './reply-count.ts'

/**
 * What a post is in its thread: whether its reply is valid, whether the thread's or the quoted post's gate forbids it,
 * whether it has gates itself, and who hears of it. Decided when a post comes, and again when a post above it, its gate
 * or the gate of what it quotes comes, changes or goes; later follows and list members do not change old verdicts.
 */
export const threads: Derivation = {
  name: 'threads',
  async run(session, applied, effects) {
    const gates = { thread: gateChanges(applied, 'thread_gate'), post: gateChanges(applied, 'post_gate') }
    const changed = applied.touched('app.bsky.feed.post')
    if (changed.length === 0 && gates.thread.size === 0 && gates.post.size === 0) return

    const mentions = new Map<string, string[]>()
    const fresh = applied.added('post').map((added) => {
      const record = added.context.record as AppBskyFeedPost.Record
      mentions.set(added.context.uri, mentionsOf(record))
      return newPost(added, quotedPost(record)?.uri ?? null)
    })
    const freshUris = new Set(fresh.map((post) => post.uri))
    const dependents = await loadDependents(session, [...changed, ...gates.thread], [...gates.post])
    const posts = [
      ...fresh.filter((post) => post.parent !== null || post.quoted !== null || mentions.get(post.uri)!.length > 0),
      ...dependents.filter((post) => !freshUris.has(post.uri)),
    ]

    const facts = await loadFacts(session, posts)
    const verdicts = judgePosts(posts, facts)
    await writeVerdicts(session, posts, verdicts, effects)
    await notify(session, posts, verdicts, mentions, facts.threadGates, effects)
    await session.all([
      ...gateFlags('thread_gate', 'hasThreadGate', [...freshUris], gates.thread),
      ...gateFlags('post_gate', 'hasPostGate', [...freshUris], gates.post),
    ])
  },
}

/** Posts whose gate came, changed or went. */
function gateChanges(applied: AppliedRows, table: string): Set<string> {
  return new Set(
    [...applied.added(table).map(({ row }) => row), ...applied.removed(table)].map((row) => row['postUri'] as string),
  )
}

async function writeVerdicts(
  session: Session,
  posts: readonly PostNode[],
  verdicts: ReadonlyMap<string, Verdict>,
  effects: DerivedEffects,
): Promise<void> {
  const changed = posts
    .filter((post) => !sameVerdict(verdicts.get(post.uri)!, post.stored))
    .sort((a, b) => (a.uri < b.uri ? -1 : 1))
  if (changed.length === 0) return
  for (const { uri, parent, stored } of changed) {
    const before = stored.violatesThreadGate === true
    const after = verdicts.get(uri)!.violatesThreadGate === true
    if (parent !== null && before !== after) effects.counts.add(replyCount, parent, after ? -1 : 1)
  }
  const column = (name: keyof Verdict): unknown[] => changed.map((post) => verdicts.get(post.uri)![name])
  await session.one({
    text: `
      update post set "invalidReplyRoot" = v.a, "violatesThreadGate" = v.b, "violatesEmbeddingRules" = v.c
      from unnest($1::text[], $2::boolean[], $3::boolean[], $4::boolean[]) as v(uri, a, b, c) where post.uri = v.uri`,
    values: [
      changed.map((post) => post.uri),
      column('invalidReplyRoot'),
      column('violatesThreadGate'),
      column('violatesEmbeddingRules'),
    ],
  })
}

async function notify(
  session: Session,
  posts: readonly PostNode[],
  verdicts: ReadonlyMap<string, Verdict>,
  mentions: ReadonlyMap<string, string[]>,
  gates: ReadonlyMap<string, ThreadGate>,
  effects: DerivedEffects,
): Promise<void> {
  const news = posts.filter((post) => effects.isNews(post.sortAt))
  const ancestors = await loadAncestors(
    session,
    news.filter((post) => post.parent !== null),
  )
  const told = await loadNotifications(
    session,
    news.filter((post) => !post.isNew),
  )
  for (const post of news) {
    const hidden = new Set(gates.get(threadGateUri(post.root ?? post.uri) ?? '')?.hiddenReplies)
    const before = told.get(post.uri) ?? []
    const mentioned =
      mentions.get(post.uri) ?? before.filter(({ reason }) => reason === 'mention').map(({ did }) => did)
    const wanted = notificationRows(
      { uri: post.uri, cid: post.cid, did: post.creator },
      postNotifications(post, verdicts.get(post.uri)!, mentioned, ancestors.get(post.uri) ?? [], hidden),
    )
    const key = (row: { did: string; reason: string; reasonSubject: string | null }): string =>
      `${row.did} ${row.reason} ${row.reasonSubject ?? ''}`
    const had = new Set(before.map(key))
    const wants = new Set(wanted.map(key))
    effects.notify(wanted.filter((row) => !had.has(key(row))))
    effects.retract(
      before.filter((row) => !wants.has(key(row))).map(({ did, reason }) => ({ did, reason, recordUri: post.uri })),
    )
  }
}

/** Readers look for a gate only where its flag is set: it says what is there now, whichever came first. */
function gateFlags(
  table: string,
  column: string,
  fresh: readonly string[],
  changed: ReadonlySet<string>,
): (Statement | undefined)[] {
  const posts = [...fresh, ...changed]
  return [
    posts.length === 0
      ? undefined
      : {
          // Gates are few: the posts that have none are not touched.
          text: `update post set "${column}" = true from (select "postUri" from ${table} where "postUri" = any ($1::text[]) offset 0) as gate where post.uri = gate."postUri" and post."${column}" is distinct from true`,
          values: [posts],
        },
    changed.size === 0
      ? undefined
      : {
          text: `update post set "${column}" = null where uri = any ($1::text[]) and "${column}" is not null and not exists (select 1 from ${table} as gate where gate."postUri" = post.uri)`,
          values: [[...changed]],
        },
  ]
}
