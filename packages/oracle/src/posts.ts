import { isPost, parseUri } from './at-uri.ts'
import { embeddedRecord, embeddedRecords, embeds } from './embeds.ts'
import { blobCid, object, objects, textOrNull, texts, type Json } from './json.ts'
import type { KeptRecord } from './records.ts'
import { storable } from './storable.ts'
import type { Row } from './tables.ts'
import { refOf, storableRow } from './typed-rows.ts'

/** A post with what it says of others. */
export interface Post {
  record: KeptRecord
  root: string | null
  parent: string | null
  quoted: { uri: string; cid: string } | null
  /** Accounts that its text mentions, in its order. */
  mentions: string[]
}

export function readPost(record: KeptRecord): Post {
  const reply = object(record.json['reply'])
  return {
    record,
    root: refOf(reply['root']).uri,
    parent: refOf(reply['parent']).uri,
    quoted: embeddedRecords(record.json).find(({ uri }) => isPost(uri)) ?? null,
    mentions: mentionsOf(record.json),
  }
}

export function mentionsOf(json: Json): string[] {
  return objects(json['facets'])
    .flatMap((facet) => objects(facet['features']))
    .filter((feature) => feature['$type'] === 'app.bsky.richtext.facet#mention')
    .flatMap((feature) => textOrNull(feature['did']) ?? [])
}

/** The row of a post, without what hangs on others. */
export function postRow({ record, root, parent }: Post): Row {
  const { uri, cid, did, json, createdAt, indexedAt, sortAt } = record
  const reply = object(json['reply'])
  return storableRow({
    uri,
    cid,
    creator: did,
    text: json['text'],
    replyRoot: root,
    replyRootCid: refOf(reply['root']).cid,
    replyParent: parent,
    replyParentCid: refOf(reply['parent']).cid,
    langs: textsOrNull(json['langs']),
    tags: textsOrNull(json['tags']),
    createdAt,
    indexedAt,
    sortAt,
  })
}

function textsOrNull(value: unknown): string[] | null {
  const list = texts(value).map(storable)
  return list.length > 0 ? list : null
}

/** The rows of a post in other tables. */
export function postParts({ record, root, parent, quoted }: Post): [table: string, row: Row][] {
  const { uri, cid, did, json, createdAt, indexedAt, sortAt } = record
  const parts: [string, Row][] = [
    ['feed_item', { uri, cid, type: 'post', postUri: uri, originatorDid: did, sortAt }],
    ...embeds(json).flatMap((embed) => embedRows(uri, embed)),
  ]
  if (quoted) {
    const row = { uri, cid, subject: quoted.uri, subjectCid: quoted.cid, createdAt, indexedAt, sortAt }
    parts.push(['quote', row])
  }
  if (root !== null && parseUri(root).authority === did)
    parts.push(['op_thread_reply', { rootUri: root, parentUri: parent, uri, deletedAt: null }])
  return parts.map(([table, row]) => [table, storableRow(row)])
}

function embedRows(postUri: string, embed: Json): [table: string, row: Row][] {
  switch (embed['$type']) {
    case 'app.bsky.embed.images':
      return objects(embed['images']).map((item, position) => ['post_embed_image', imageRow(postUri, position, item)])
    case 'app.bsky.embed.gallery':
      return objects(embed['items']).flatMap((item, position): [string, Row][] =>
        item['$type'] === 'app.bsky.embed.gallery#image'
          ? [['post_embed_gallery_image', imageRow(postUri, position, item)]]
          : [],
      )
    case 'app.bsky.embed.external': {
      const { uri, title, description, thumb } = object(embed['external'])
      return [['post_embed_external', { postUri, uri, title, description, thumbCid: blobCid(thumb) }]]
    }
    case 'app.bsky.embed.video':
      return [['post_embed_video', { postUri, videoCid: blobCid(embed['video']), alt: textOrNull(embed['alt']) }]]
    case 'app.bsky.embed.record':
      return embeddedRecord(embed).map(({ uri, cid }) => [
        'post_embed_record',
        { postUri, embedUri: uri, embedCid: cid },
      ])
    default:
      return []
  }
}

function imageRow(postUri: string, position: number, { image, alt }: Json): Row {
  return { postUri, position: String(position), imageCid: blobCid(image), alt }
}
