import {
  cidOf,
  createEvent,
  deleteEvent,
  EVENT_TIME,
  nextRev,
  snapshotEvents,
  updateEvent,
} from '@millrace/indexing/testing'
import {
  recordUri,
  SEQ_BACKFILL,
  type CreateEvent,
  type RecordJson,
  type RepoEvent,
  type StreamEvent,
  type UpdateEvent,
} from '@millrace/stream-protocol'
import { alice, bob, carol, mention, record } from './records.ts'

const accounts = [alice, bob, carol] as const
const SLOTS = 3
const slotKeys = ['3kaaaaaaaaaa2', '3kaaaaaaaaab2', '3kaaaaaaaaac2'] as const

export const kinds = [
  'post',
  'like',
  'repost',
  'follow',
  'block',
  'profile',
  'list',
  'listitem',
  'threadgate',
  'postgate',
] as const

type Kind = (typeof kinds)[number]

/** What one account does, in numbers that mean something whatever they are. */
export interface Step {
  account: number
  kind: Kind | 'snapshot'
  slot: number
  removes: boolean
  /** Which post, account or list it is about. */
  target: number
  /** A second one: the root of a reply, what a post quotes. */
  other: number
  variant: number
}

const collections: { [kind in Kind]: string } = {
  post: 'app.bsky.feed.post',
  like: 'app.bsky.feed.like',
  repost: 'app.bsky.feed.repost',
  follow: 'app.bsky.graph.follow',
  block: 'app.bsky.graph.block',
  profile: 'app.bsky.actor.profile',
  list: 'app.bsky.graph.list',
  listitem: 'app.bsky.graph.listitem',
  threadgate: 'app.bsky.feed.threadgate',
  postgate: 'app.bsky.feed.postgate',
}

type Live = Map<string, CreateEvent | UpdateEvent>

/** What a firehose and fetches of whole repos say about these steps, in the order in which it happened. */
export function historyOf(steps: readonly Step[]): StreamEvent[] {
  const live: Live = new Map()
  const revs = new Map<string, string>()
  return steps.flatMap((step): StreamEvent[] => {
    const did = accountAt(step.account)
    if (step.kind === 'snapshot') return snapshotOf(did, live, revs.get(did))
    const collection = collections[step.kind]
    const rkey = step.kind === 'profile' ? 'self' : slotKeys[step.slot % SLOTS]!
    const uri = recordUri({ did, collection, rkey })
    const before = live.get(uri)
    const rev = nextRev()
    if (step.removes) {
      if (!before) return []
      revs.set(did, rev)
      live.delete(uri)
      return [deleteEvent(before, { rev })]
    }
    revs.set(did, rev)
    const json = record(collection, contents[step.kind](step, uri, live))
    const cid = cidOf(json)
    // The same for every copy of a version, wherever it came from.
    const time = new Date(
      Date.parse(EVENT_TIME) - (Number.parseInt(cidOf([uri, cid]).slice(-4), 36) % 10_000),
    ).toISOString()
    const event = before
      ? updateEvent(before, json, { rev, time })
      : createEvent({ did, collection, rkey, record: json, rev, time })
    live.set(uri, event)
    return [event]
  })
}

function snapshotOf(did: string, live: Live, rev: string | undefined): StreamEvent[] {
  if (rev === undefined) return []
  const records = snapshotEvents(
    [...live.values()].filter((event) => event.did === did),
    rev,
  )
  const commit = cidOf({ did, rev })
  const end: RepoEvent = {
    type: 'repo',
    seq: SEQ_BACKFILL,
    did,
    rev,
    commit,
    time: EVENT_TIME,
    records: records.length,
  }
  return [...records, end]
}

const contents: { [kind in Kind]: (step: Step, uri: string, live: Live) => RecordJson } = {
  post: (step, _uri, live) => postOf(step, live),
  like: ({ target }, _uri, live) => ({ subject: postRef(target, live) }),
  repost: ({ target }, _uri, live) => ({ subject: postRef(target, live) }),
  follow: ({ target }) => ({ subject: accountAt(target) }),
  block: ({ target }) => ({ subject: accountAt(target) }),
  profile: ({ variant }) => ({ displayName: `name ${variant}` }),
  list: ({ variant }) => ({ name: `list ${variant}`, purpose: 'app.bsky.graph.defs#curatelist' }),
  listitem: ({ account, target, other }) => ({
    subject: accountAt(target),
    list: recordUri({ did: accountAt(account), collection: collections.list, rkey: slotKeys[other % 2]! }),
  }),
  threadgate: ({ target, other, variant }, uri, live) => ({
    post: uri.replace('threadgate', 'post'),
    // Not the rules about follows and lists: those count as they are when a reply is judged.
    ...[{}, { allow: [] }, { allow: [{ $type: 'app.bsky.feed.threadgate#mentionRule' }] }][variant % 3],
    ...(other % 2 === 1 && { hiddenReplies: [postRef(target, live).uri] }),
  }),
  postgate: ({ variant }, uri) => ({
    post: uri.replace('postgate', 'post'),
    embeddingRules: variant % 2 === 1 ? [{ $type: 'app.bsky.feed.postgate#disableRule' }] : [],
  }),
}

function accountAt(index: number): string {
  return accounts[index % accounts.length]!
}

function postOf({ target, other, variant }: Step, live: Live): RecordJson {
  const form = variant % 6
  const reply = form >= 2 ? replyOf(target, other, form === 5, live) : undefined
  const quotes = form === 1 || form === 4
  return {
    text: `text ${variant}`,
    ...(reply && { reply }),
    ...(quotes && { embed: { $type: 'app.bsky.embed.record', record: postRef(other, live) } }),
    ...(variant % 4 === 0 && { facets: [mention(accountAt(target))] }),
  }
}

/** A reply that says what its parent says about their root, or one that says something else. */
function replyOf(target: number, other: number, confused: boolean, live: Live): RecordJson {
  const parent = postRef(target, live)
  const above = live.get(parent.uri)?.record['reply'] as { root: { uri: string; cid: string } } | undefined
  return { parent, root: confused ? postRef(other, live) : (above?.root ?? parent) }
}

/** A post, whether or not it is there. */
function postRef(index: number, live: Live): { uri: string; cid: string } {
  const did = accountAt(index)
  const rkey = slotKeys[Math.floor(index / accounts.length) % SLOTS]!
  const uri = recordUri({ did, collection: collections.post, rkey })
  return { uri, cid: live.get(uri)?.cid ?? cidOf(uri) }
}
