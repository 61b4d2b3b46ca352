import { uriAuthority, type Row, type Session } from '@millrace/indexing'
import { isObject, type JsonObject } from '@millrace/stream-protocol'
import { forbidsQuotes, mentionsOf, postGateUri, readThreadGate, threadGateUri, type ThreadGate } from './gates.ts'
import type { ParentFacts, ThreadFacts } from './judge.ts'
import { NOTIFIED_HEIGHT } from './notify.ts'
import { storedPost, type PostNode } from './post-node.ts'

// `offset 0` keeps a look-up by index what it is: how many posts a recursion will find is anybody's guess, and the
// planner's would be to read the whole table.

/**
 * Stored posts below these, at any depth, and posts that quote those. A reply whose parent is missing is below its root
 * all the same: its root's gate counts for it.
 */
export async function loadDependents(
  session: Session,
  above: readonly string[],
  quoted: readonly string[],
): Promise<PostNode[]> {
  if (above.length === 0 && quoted.length === 0) return []
  const rows = await session.one<Row>({
    text: `
      with recursive below(uri) as (
        (
          select uri from post where "replyParent" = any ($1::text[])
          union
          select uri from post where "invalidReplyRoot" and "replyRoot" = any ($1::text[])
        )
        union
        select child.uri from below, lateral (select uri from post where "replyParent" = below.uri offset 0) as child
      )
      select p.*, (select subject from quote where quote.uri = u.uri) as quoted
      from (select uri from below union select uri from quote where subject = any ($2::text[])) as u,
      lateral (
        select uri, cid, creator, "replyRoot", "replyParent", "sortAt", "invalidReplyRoot", "violatesThreadGate", "violatesEmbeddingRules"
        from post where post.uri = u.uri offset 0
      ) as p`,
    values: [above, quoted],
  })
  return rows.map(storedPost)
}

/** What the verdicts of these posts hang on: one round trip, and two more where there are gates. */
export async function loadFacts(session: Session, posts: readonly PostNode[]): Promise<ThreadFacts> {
  const parents = new Set<string>()
  const gates = new Set<string>()
  for (const { root, parent, quoted } of posts) {
    if (parent !== null) parents.add(parent)
    for (const gate of [root && threadGateUri(root), quoted && postGateUri(quoted)]) if (gate) gates.add(gate)
  }
  const parentFacts = new Map<string, ParentFacts>()
  const threadGates = new Map<string, ThreadGate>()
  const quotesForbidden = new Set<string>()
  if (parents.size + gates.size > 0) {
    const [stored, bodies] = await session.all([
      {
        text: 'select r.uri, p."replyRoot" as root, p."invalidReplyRoot" from record r left join post p using (uri) where r.uri = any ($1::text[])',
        values: [[...parents]],
      },
      { text: 'select uri, json from record where uri = any ($1::text[])', values: [[...gates]] },
    ] as const)
    for (const { uri, root, invalidReplyRoot } of stored as (ParentFacts & { uri: string })[])
      parentFacts.set(uri, { root, invalidReplyRoot })
    for (const { uri, json } of bodies as { uri: string; json: string }[]) {
      const record = parseRecord(json)
      if (uri.includes('/app.bsky.feed.threadgate/')) threadGates.set(uri, readThreadGate(record))
      else if (forbidsQuotes(record)) quotesForbidden.add(uri)
    }
  }
  return { parents: parentFacts, threadGates, quotesForbidden, ...(await loadRules(session, posts, threadGates)) }
}

/** What the rules of gates ask for, as far as these replies need it. */
async function loadRules(
  session: Session,
  posts: readonly PostNode[],
  gates: ReadonlyMap<string, ThreadGate>,
): Promise<Pick<ThreadFacts, 'mentions' | 'follows' | 'members'>> {
  const gated = posts.flatMap((post) => {
    const gate = post.root === null ? undefined : gates.get(threadGateUri(post.root) ?? '')
    return gate && !gate.open ? [{ root: post.root!, replier: post.creator, gate }] : []
  })
  if (gated.length === 0) return { mentions: new Map(), follows: new Set(), members: new Set() }
  const pairs = gated.flatMap(({ root, replier, gate }) => [
    ...(gate.following ? [[uriAuthority(root), replier] as const] : []),
    ...(gate.follower ? [[replier, uriAuthority(root)] as const] : []),
  ])
  const lists = gated.flatMap(({ replier, gate }) => gate.lists.map((list) => [list, replier] as const))
  const roots = [...new Set(gated.filter(({ gate }) => gate.mentioned).map(({ root }) => root))]
  const [rootPosts, follows, members] = await session.all([
    { text: 'select uri, json from record where uri = any ($1::text[])', values: [roots] },
    {
      text: 'select f.creator as a, f."subjectDid" as b from follow f join (select distinct * from unnest($1::text[], $2::text[]) as k(a, b)) k on f.creator = k.a and f."subjectDid" = k.b',
      values: columns(pairs),
    },
    {
      text: 'select i."listUri" as a, i."subjectDid" as b from list_item i join (select distinct * from unnest($1::text[], $2::text[]) as k(a, b)) k on i."listUri" = k.a and i."subjectDid" = k.b',
      values: columns(lists),
    },
  ] as const)
  const pairSet = (rows: object[]): Set<string> =>
    new Set((rows as { a: string; b: string }[]).map(({ a, b }) => `${a} ${b}`))
  return {
    mentions: new Map(
      (rootPosts as { uri: string; json: string }[]).map(({ uri, json }) => [uri, mentionsOf(parseRecord(json))]),
    ),
    follows: pairSet(follows),
    members: pairSet(members),
  }
}

/**
 * Indexed posts above each of these, nearest first. Above the parent only those of the thread that the reply says it is
 * in: what happens in another one is not kept from happening at the same time.
 */
export async function loadAncestors(session: Session, replies: readonly PostNode[]): Promise<Map<string, string[]>> {
  const ancestors = new Map<string, string[]>()
  if (replies.length === 0) return ancestors
  const rows = await session.one<{ start: string; uri: string }>({
    text: `
      with recursive above(start, root, uri, parent, height) as (
        select k.start, k.root, p.uri, p."replyParent", 1
        from unnest($1::text[], $2::text[], $3::text[]) as k(start, root, parent) join post p on p.uri = k.parent
        union all
        select a.start, a.root, p.uri, p."replyParent", a.height + 1
        from above a, lateral (select uri, "replyRoot", "replyParent" from post where post.uri = a.parent offset 0) as p
        where a.height < ${NOTIFIED_HEIGHT} and a.root in (p.uri, p."replyRoot")
      )
      select start, uri from above order by height`,
    values: [replies.map((post) => post.uri), replies.map((post) => post.root), replies.map((post) => post.parent)],
  })
  for (const { start, uri } of rows) ancestors.set(start, [...(ancestors.get(start) ?? []), uri])
  return ancestors
}

/** Notifications that posts have led to so far. */
export async function loadNotifications(
  session: Session,
  posts: readonly PostNode[],
): Promise<Map<string, { did: string; reason: string; reasonSubject: string | null }[]>> {
  const byPost = new Map<string, { did: string; reason: string; reasonSubject: string | null }[]>()
  if (posts.length === 0) return byPost
  const rows = await session.one<{ uri: string; did: string; reason: string; reasonSubject: string | null }>({
    text: 'select "recordUri" as uri, did, reason, "reasonSubject" from notification where "recordUri" = any ($1::text[])',
    values: [posts.map((post) => post.uri)],
  })
  for (const { uri, ...row } of rows) byPost.set(uri, [...(byPost.get(uri) ?? []), row])
  return byPost
}

function columns(pairs: readonly (readonly [string, string])[]): [string[], string[]] {
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
}

function parseRecord(json: string): JsonObject {
  const value: unknown = JSON.parse(json)
  return isObject(value) ? value : {}
}
