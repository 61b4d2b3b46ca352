import { schemas } from '@atproto/api'
import { jsonToLex, Lexicons } from '@atproto/lexicon'
import { isDid, parseUri } from './at-uri.ts'
import { embeddedRecords } from './embeds.ts'
import { object, objects, text, textOrNull, texts, type Json } from './json.ts'

const lexicons = new Lexicons(schemas)

/** Longest text in a column that an index covers, in bytes. */
const MAX_INDEXED_BYTES = 2_000

/** Whether a record is one of its collection: only then anything of it is kept (hazards X9, J6, J12). */
export function isValidRecord(uri: string, record: Json): boolean {
  const { authority, collection, rkey } = parseUri(uri)
  if (collection === 'chat.bsky.actor.declaration') return true
  if (record['$type'] !== collection) return false
  if (!isIndexed(collection)) return true
  if (!fitsLexicon(collection, record)) return false
  if (lookedUp(collection, record).some((value) => Buffer.byteLength(value) > MAX_INDEXED_BYTES)) return false
  if (readByAccount(collection, record).some((uri) => !isDid(parseUri(uri).authority))) return false
  switch (collection) {
    case 'app.bsky.graph.listitem':
      return parseUri(text(record['list'])).authority === authority
    case 'app.bsky.feed.threadgate':
    case 'app.bsky.feed.postgate': {
      const post = parseUri(text(record['post']))
      return post.authority === authority && post.rkey === rkey
    }
    default:
      return true
  }
}

const collections = new Set([
  'app.bsky.actor.profile',
  'app.bsky.actor.status',
  'app.bsky.feed.generator',
  'app.bsky.feed.like',
  'app.bsky.feed.post',
  'app.bsky.feed.postgate',
  'app.bsky.feed.repost',
  'app.bsky.feed.threadgate',
  'app.bsky.graph.block',
  'app.bsky.graph.follow',
  'app.bsky.graph.list',
  'app.bsky.graph.listblock',
  'app.bsky.graph.listitem',
  'app.bsky.graph.referencelistoptout',
  'app.bsky.graph.starterpack',
  'app.bsky.graph.verification',
  'app.bsky.labeler.service',
  'app.bsky.notification.declaration',
  'chat.bsky.actor.declaration',
  'com.germnetwork.declaration',
])

/** Whether a lexicon says what its records are: those of other collections are kept as they are (hazard X10). */
function isIndexed(collection: string): boolean {
  return collections.has(collection)
}

function fitsLexicon(collection: string, record: Json): boolean {
  // Newer than the published lexicons.
  if (collection === 'app.bsky.graph.referencelistoptout')
    return /^at:\/\/./.test(textOrNull(record['subject']) ?? '') && textOrNull(record['createdAt']) !== null
  try {
    return lexicons.validate(collection, jsonToLex(record)).success
  } catch {
    return false // no atproto data at all
  }
}

/** Texts of a record that readers look rows up by. */
function lookedUp(collection: string, record: Json): string[] {
  const values: unknown[] =
    {
      'app.bsky.feed.like': [object(record['subject'])['uri']],
      'app.bsky.feed.repost': [object(record['subject'])['uri']],
      'app.bsky.feed.post': namedByPost(record),
      'app.bsky.graph.listblock': [record['subject']],
      'app.bsky.graph.listitem': [record['list'], record['subject']],
      'app.bsky.graph.follow': [record['subject']],
      'app.bsky.graph.block': [record['subject']],
      'app.bsky.graph.verification': [record['subject']],
      'app.bsky.actor.profile': [object(record['joinedViaStarterPack'])['uri']],
    }[collection] ?? []
  return texts(values)
}

/** URIs of which readers take the account: where it is a handle they fail (deviation `readable-records`). */
function readByAccount(collection: string, record: Json): string[] {
  switch (collection) {
    case 'app.bsky.feed.post':
      return texts(namedByPost(record))
    case 'app.bsky.feed.threadgate':
      return texts(objects(record['allow']).map((rule) => rule['list']))
    case 'app.bsky.actor.profile':
      return texts([object(record['joinedViaStarterPack'])['uri']])
    default:
      return []
  }
}

function namedByPost(record: Json): unknown[] {
  const reply = object(record['reply'])
  const answered = [object(reply['root'])['uri'], object(reply['parent'])['uri']]
  return [...answered, ...embeddedRecords(record).map(({ uri }) => uri)]
}
