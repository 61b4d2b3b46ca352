import {
  AppBskyEmbedExternal,
  AppBskyEmbedGallery,
  AppBskyEmbedImages,
  AppBskyEmbedRecord,
  AppBskyEmbedRecordWithMedia,
  AppBskyEmbedVideo,
  type AppBskyFeedPost,
} from '@atproto/api'
import { uriCollection, type Part, type RecordContext } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'

type Post = RecordContext<AppBskyFeedPost.Record>
type Embed = NonNullable<AppBskyFeedPost.Record['embed']>

/** What a post embeds: a record, media, or one of each. Types that we do not know lead to no rows. */
function embedsOf(record: AppBskyFeedPost.Record): Embed[] {
  const { embed } = record
  if (!embed) return []
  if (!AppBskyEmbedRecordWithMedia.isMain(embed)) return [embed]
  const { record: embedded, media } = embed as AppBskyEmbedRecordWithMedia.Main
  return [{ ...embedded, $type: 'app.bsky.embed.record' }, media]
}

/** The post that a post quotes; embedding another kind of record is no quote. */
export function quotedPost(record: AppBskyFeedPost.Record): { uri: string; cid: string } | undefined {
  return embeddedRecords(record).find(({ uri }) => uriCollection(uri) === 'app.bsky.feed.post')
}

/** What a post embeds of records, of any collection. */
export function embeddedRecords(record: AppBskyFeedPost.Record): { uri: string; cid: string }[] {
  return embedsOf(record).flatMap((embed) =>
    AppBskyEmbedRecord.isMain(embed) ? [(embed as AppBskyEmbedRecord.Main).record] : [],
  )
}

export const embedParts: readonly Part<AppBskyFeedPost.Record>[] = [
  {
    table: 'post_embed_image',
    owner: 'postUri',
    toRows: ({ uri, record }: Post) =>
      embedsOf(record).flatMap((embed) =>
        AppBskyEmbedImages.isMain(embed)
          ? (embed as AppBskyEmbedImages.Main).images.map(({ image, alt }, position) => ({
              postUri: uri,
              position: String(position),
              imageCid: image.ref.toString(),
              alt,
            }))
          : [],
      ),
  },
  {
    table: 'post_embed_gallery_image',
    owner: 'postUri',
    toRows: ({ uri, record }: Post) =>
      embedsOf(record).flatMap((embed) =>
        AppBskyEmbedGallery.isMain(embed)
          ? (embed as AppBskyEmbedGallery.Main).items.flatMap((item, position) => {
              if (!AppBskyEmbedGallery.isImage(item)) return []
              const { image, alt } = item as AppBskyEmbedGallery.Image
              return [{ postUri: uri, position: String(position), imageCid: image.ref.toString(), alt }]
            })
          : [],
      ),
  },
  {
    table: 'post_embed_external',
    owner: 'postUri',
    toRows: ({ uri, record }: Post) =>
      embedsOf(record).flatMap((embed) => {
        if (!AppBskyEmbedExternal.isMain(embed)) return []
        const { external } = embed as AppBskyEmbedExternal.Main
        return [
          {
            postUri: uri,
            uri: external.uri,
            title: external.title,
            description: external.description,
            thumbCid: external.thumb?.ref.toString() ?? null,
          },
        ]
      }),
  },
  {
    table: 'post_embed_video',
    owner: 'postUri',
    toRows: ({ uri, record }: Post) =>
      embedsOf(record).flatMap((embed) => {
        if (!AppBskyEmbedVideo.isMain(embed)) return []
        const { video, alt } = embed as AppBskyEmbedVideo.Main
        return [{ postUri: uri, videoCid: video.ref.toString(), alt: alt ?? null }]
      }),
  },
  {
    table: 'post_embed_record',
    owner: 'postUri',
    toRows: ({ uri, record }: Post) =>
      embeddedRecords(record).map((embedded) => ({ postUri: uri, embedUri: embedded.uri, embedCid: embedded.cid })),
  },
  {
    table: 'quote',
    owner: 'uri',
    toRows: (context: Post) => {
      const quoted = quotedPost(context.record)
      if (!quoted) return []
      const { uri, cid, createdAt, indexedAt } = baseRow(context)
      return [{ uri, cid, subject: quoted.uri, subjectCid: quoted.cid, createdAt, indexedAt }]
    },
    counts: [{ table: 'post_agg', key: 'uri', column: 'quoteCount', of: 'subject' }],
    // Whether its author hears of the quote hangs on a gate beside what is quoted.
    lockColumns: ['subject'],
  },
]
