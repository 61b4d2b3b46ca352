import { cidOf } from '@millrace/indexing/testing'
import { recordUri, type RecordJson } from '@millrace/stream-protocol'
import { accountAt, accounts, alice, bob, keptKey, slotAt, slots, stranger } from './people.ts'
import type { RecordKind, Step } from './step.ts'

export const collections: { readonly [kind in RecordKind]: string } = {
  post: 'app.bsky.feed.post',
  like: 'app.bsky.feed.like',
  repost: 'app.bsky.feed.repost',
  threadgate: 'app.bsky.feed.threadgate',
  postgate: 'app.bsky.feed.postgate',
  follow: 'app.bsky.graph.follow',
  block: 'app.bsky.graph.block',
  list: 'app.bsky.graph.list',
  listitem: 'app.bsky.graph.listitem',
  listblock: 'app.bsky.graph.listblock',
  optout: 'app.bsky.graph.referencelistoptout',
  starterpack: 'app.bsky.graph.starterpack',
  verification: 'app.bsky.graph.verification',
  profile: 'app.bsky.actor.profile',
  generator: 'app.bsky.feed.generator',
  labeler: 'app.bsky.labeler.service',
  status: 'app.bsky.actor.status',
  notifications: 'app.bsky.notification.declaration',
  chat: 'chat.bsky.actor.declaration',
  germ: 'com.germnetwork.declaration',
  other: 'test.millrace.unknown',
}

const selfKinds: ReadonlySet<RecordKind> = new Set(['profile', 'labeler', 'status', 'notifications', 'chat', 'germ'])

/** Records of which an account has one have it under `self`; under another key they mean nothing. */
export function rkeyOf(kind: RecordKind, slot: number): string {
  return selfKinds.has(kind) && slot < 2 ? 'self' : slotAt(slot)
}

/** What stands under a URI now, if anything. */
export type Lookup = (uri: string) => { cid: string; record: RecordJson } | undefined

/** The record that a step writes. */
export function contentOf(kind: RecordKind, step: Step, uri: string, lookup: Lookup): RecordJson {
  const record = {
    $type: collections[kind],
    createdAt: times[step.when % times.length],
    ...makers[kind](step, uri, lookup),
  }
  if (step.when === times.length) return { ...record, $type: 'app.bsky.feed.nothing' }
  if (step.when > times.length) return { ...record, createdAt: 7 }
  return record
}

const times = [
  '2026-01-15T10:00:00.000Z',
  '2026-01-15T10:30:00.123456',
  '2026-01-15T11:00:00+02:00',
  // Later than it is seen.
  '2026-01-20T00:00:00.000Z',
  // Too old to tell anybody.
  '2025-01-01T00:00:00Z',
]
/** How many values of `when` mean something. */
export const WHENS = times.length + 2

const makers: { readonly [kind in RecordKind]: (step: Step, uri: string, lookup: Lookup) => RecordJson } = {
  post: (step, _uri, lookup) => postOf(step, lookup),
  like: (step, _uri, lookup) => reaction(step, lookup),
  repost: (step, _uri, lookup) => reaction(step, lookup),
  threadgate: threadgateOf,
  postgate: ({ variant }, uri) => ({
    post: gatedPost(variant, uri),
    embeddingRules: variant % 2 === 1 ? [{ $type: 'app.bsky.feed.postgate#disableRule' }] : [],
  }),
  follow: ({ account, target }) => ({ subject: followedBy(account, target) }),
  block: ({ target }) => ({ subject: accountAt(target) }),
  list: ({ variant }) => ({
    name: `list ${variant}`,
    purpose: `app.bsky.graph.defs#${variant % 2 === 1 ? 'modlist' : 'referencelist'}`,
    ...(variant % 3 === 1 && { description: 'a list', descriptionFacets: [mention(alice)] }),
    ...(variant % 3 === 2 && { avatar: blob(`list ${variant}`) }),
  }),
  // Now and then of somebody else's list, which is no item at all.
  listitem: ({ account, target, other, variant }) => ({
    subject: accountAt(target),
    list: listUri(variant % 8 === 7 ? account + 1 : account, other % 2),
  }),
  listblock: ({ target, other }) => ({ subject: listUri(target, other) }),
  optout: ({ target, other, variant }) => ({
    subject: variant % 4 === 3 ? postUri(target) : listUri(target, other),
  }),
  starterpack: ({ account, other, variant }) => ({ name: `pack ${variant}`, list: listUri(account, other) }),
  verification: ({ target, variant }) => ({
    subject: accountAt(target),
    handle: `name${variant}.test`,
    displayName: `Name ${variant}`,
  }),
  profile: ({ target, variant }) => ({
    ...(variant % 2 === 1 && { displayName: `name ${variant}`, description: 'nul \u0000 and half \ud800' }),
    ...(variant % 3 === 1 && { avatar: blob('avatar'), banner: blob('banner') }),
    ...(variant % 4 === 1 && { createdAt: undefined }),
    ...(variant % 3 === 2 && {
      joinedViaStarterPack: {
        uri: recordUri({ did: accountAt(target), collection: collections.starterpack, rkey: slots[0] }),
        cid: cidOf('pack'),
      },
    }),
  }),
  generator: ({ account, variant }) => ({
    did: accountAt(account),
    displayName: `feed ${variant}`,
    ...(variant % 2 === 1 && { description: 'a feed', avatar: blob('feed') }),
  }),
  labeler: ({ variant }) => ({ policies: { labelValues: [`value-${variant}`] } }),
  status: ({ variant }) => ({ status: 'app.bsky.actor.status#live', durationMinutes: 1 + variant }),
  notifications: ({ variant }) => ({ allowSubscriptions: `those ${variant}` }),
  chat: ({ variant }) => ({ allowIncoming: `those ${variant}` }),
  germ: ({ variant }) => ({ version: `1.${variant}.0.0`, currentKey: { $bytes: 'aGVsbG8' } }),
  other: ({ variant }) => ({ anything: [variant, null, { is: 'kept' }] }),
}

/** What alice and bob have from the start and keep: gates may ask for it, and verdicts may not hang on when. */
export const lasting: readonly { did: string; kind: RecordKind; record: RecordJson }[] = [
  { did: alice, kind: 'follow', record: { subject: bob } },
  { did: bob, kind: 'follow', record: { subject: accounts[2] } },
  { did: alice, kind: 'list', record: { name: 'friends', purpose: 'app.bsky.graph.defs#curatelist' } },
  { did: alice, kind: 'listitem', record: { subject: accounts[3], list: keptUri(alice, 'list') } },
]

function keptUri(did: string, kind: RecordKind): string {
  return recordUri({ did, collection: collections[kind], rkey: keptKey })
}

/**
 * Gates ask whether alice or bob follow somebody, and whether they are followed. So no such follow comes or goes, but
 * alice may follow bob as often as she likes.
 */
function followedBy(account: number, target: number): string {
  if (account % accounts.length < 2) return account % accounts.length === 0 ? bob : stranger
  return [accounts[2], accounts[3], stranger][target % 3]!
}

function threadgateOf({ account, target, other, variant }: Step, uri: string, lookup: Lookup): RecordJson {
  const rule = (name: string, fields: object = {}): object => ({ $type: `app.bsky.feed.threadgate#${name}`, ...fields })
  // Those of alice and bob may ask for follows; members of the one list that nobody changes anybody may ask for.
  const isLasting = account % accounts.length < 2
  const allow = [
    undefined,
    [],
    [rule('mentionRule')],
    [rule('listRule', { list: keptUri(alice, 'list') })],
    [rule('mentionRule'), rule('listRule', { list: keptUri(bob, 'list') })],
    isLasting ? [rule('followingRule')] : [],
    isLasting ? [rule('followerRule')] : [],
  ][variant % 7]
  return {
    post: gatedPost(variant, uri),
    ...(allow && { allow }),
    ...(other % 2 === 1 && { hiddenReplies: [refTo(postUri(target), lookup).uri] }),
  }
}

/** The post beside the gate; now and then another one, for which there can be no gate here. */
function gatedPost(variant: number, uri: string): string {
  const post = uri.replace(/threadgate|postgate/, 'post')
  return variant % 16 === 15 ? `${post}x` : post
}

function reaction({ target, other, variant }: Step, lookup: Lookup): RecordJson {
  const via = recordUri({ did: accountAt(other), collection: collections.repost, rkey: slotAt(other) })
  return { subject: refTo(subjectUri(target), lookup), ...(variant % 3 === 1 && { via: refTo(via, lookup) }) }
}

function postOf({ target, other, variant }: Step, lookup: Lookup): RecordJson {
  const form = variant % 6
  const extra = Math.floor(variant / 6) % 8
  const reply = form >= 2 ? replyOf(target, other, form === 5, lookup) : undefined
  const quote =
    form === 1 || form === 4 ? { $type: 'app.bsky.embed.record', record: refTo(subjectUri(other), lookup) } : undefined
  const media = mediaOf(extra)
  const embed = quote && media ? { $type: 'app.bsky.embed.recordWithMedia', record: quote, media } : (quote ?? media)
  return {
    text: extra === 6 ? 'nul \u0000 and half \ud800' : `text ${variant}`,
    ...(reply && { reply }),
    ...(embed && { embed }),
    ...((extra === 5 || extra === 7) && { facets: [mention(accountAt(target)), mention(accountAt(other))] }),
    ...(extra === 6 && { tags: ['tag \u0000'], langs: ['en', 'de'] }),
  }
}

function mediaOf(extra: number): RecordJson | undefined {
  const image = { image: blob('image'), alt: 'an image', aspectRatio: { width: 1, height: 1 } }
  switch (extra) {
    case 1:
      return {
        $type: 'app.bsky.embed.images',
        images: [image, { ...image, image: { cid: cidOf('old'), mimeType: 'image/png' } }],
      }
    case 2: {
      const items = [{ $type: 'app.bsky.embed.gallery#image', ...image }, { $type: 'app.bsky.embed.gallery#other' }]
      return { $type: 'app.bsky.embed.gallery', items }
    }
    case 3:
      return {
        $type: 'app.bsky.embed.external',
        external: { uri: 'https://a.test/', title: 'A', description: 'of a', thumb: blob('thumb') },
      }
    case 4:
      return { $type: 'app.bsky.embed.video', video: blob('video', 'video/mp4') }
    case 7:
      return { $type: 'app.bsky.embed.unheard' }
    default:
      return undefined
  }
}

/** A reply that says what its parent says about their root, or one that says something else. */
function replyOf(target: number, other: number, confused: boolean, lookup: Lookup): RecordJson {
  const parent = refTo(subjectUri(target), lookup)
  const above = lookup(parent.uri)?.record['reply'] as { root: { uri: string; cid: string } } | undefined
  return { parent, root: confused ? refTo(subjectUri(other), lookup) : (above?.root ?? parent) }
}

function postUri(index: number): string {
  const rkey = slotAt(Math.floor(index / accounts.length))
  return recordUri({ did: accountAt(index), collection: collections.post, rkey })
}

const places = accounts.length * slots.length
/** Mostly posts, whether or not they are there; and what stands for them in some records. */
function subjectUri(index: number): string {
  switch (index) {
    case places:
      return recordUri({ did: 'carol.test', collection: collections.post, rkey: slots[0] })
    case places + 1:
      return recordUri({ did: stranger, collection: collections.post, rkey: slots[0] })
    case places + 2:
      return listUri(0, 0)
    case places + 3:
      // Wider than an index takes.
      return recordUri({ did: `did:plc:${'a'.repeat(2000)}`, collection: collections.post, rkey: slots[0] })
    default:
      return postUri(index)
  }
}
/** How many values of `target` and `other` mean something. */
export const TARGETS = places + 4

function listUri(account: number, slot: number): string {
  return recordUri({ did: accountAt(account), collection: collections.list, rkey: slotAt(slot) })
}

/** What a record says to point at another one. */
function refTo(uri: string, lookup: Lookup): { uri: string; cid: string } {
  return { uri, cid: lookup(uri)?.cid ?? cidOf(uri) }
}

function mention(did: string): RecordJson {
  return {
    index: { byteStart: 0, byteEnd: 3 },
    features: [{ $type: 'app.bsky.richtext.facet#mention', did }],
  }
}

function blob(of: string, mimeType = 'image/jpeg'): RecordJson {
  return { $type: 'blob', ref: { $link: cidOf(of) }, mimeType, size: 1000 }
}
