import { cidOf, createEvent, deleteEvent, describePlugin, updateEvent } from '@millrace/indexing/testing'
import { recordUri } from '@millrace/stream-protocol'
import { inject } from 'vitest'
import '@millrace/testing'
import { alice, blob, bob, carol, createdAt, mention, post, record, refTo, replyTo } from '../testing/records.ts'
import { feedPost } from './feed-post.ts'
import { feedPostgate } from './feed-postgate.ts'
import { feedRepost } from './feed-repost.ts'
import { feedThreadgate } from './feed-threadgate.ts'
import { graphFollow } from './graph-follow.ts'
import { graphList } from './graph-list.ts'
import { graphListitem } from './graph-listitem.ts'

const database = (): string => inject('postgresUrl')
const plain = createEvent({ did: alice, record: post({ text: 'plain', langs: ['en', 'de'], tags: ['a', 'b'] }) })
const byHandle = { uri: 'at://alice.test/app.bsky.feed.post/3kabcdefghijk', cid: plain.cid }

describePlugin(feedPost, {
  database,
  cases: {
    'a post is a row, an item of its author’s feed, and counted': {
      events: [plain],
      rows: {
        post: [
          {
            uri: recordUri(plain),
            cid: plain.cid,
            creator: alice,
            text: 'plain',
            langs: ['en', 'de'],
            tags: ['a', 'b'],
            replyRoot: null,
            replyParent: null,
            invalidReplyRoot: null,
            violatesThreadGate: null,
            violatesEmbeddingRules: null,
            hasThreadGate: null,
            hasPostGate: null,
            createdAt,
            indexedAt: '2026-01-15T12:00:00.000Z',
            sortAt: createdAt,
          },
        ],
        feed_item: [{ uri: recordUri(plain), type: 'post', postUri: recordUri(plain), originatorDid: alice }],
        profile_agg: [{ did: alice, postsCount: 1 }],
        notification: [],
      },
      update: {
        record: post({ text: 'changed' }),
        rows: {
          post: [{ text: 'changed', langs: null, tags: null }],
          profile_agg: [{ did: alice, postsCount: 1 }],
        },
      },
    },
    'a language that JSON columns cannot hold is made so that they can (J5)': {
      events: [createEvent({ did: alice, record: post({ text: 'a\u0000b', tags: ['x\u0000\uD800'] }) })],
      rows: { post: [{ text: 'a\uFFFDb', tags: ['x\uFFFD\uFFFD'] }] },
    },
    'a post that answers or embeds what it names by a handle is no record: readers fail on it (J11)': {
      events: [
        { reply: { root: byHandle, parent: refTo(plain) } },
        { reply: { root: refTo(plain), parent: byHandle } },
        { embed: { $type: 'app.bsky.embed.record', record: byHandle } },
      ].map((fields) => createEvent({ did: bob, record: post(fields) })),
      rows: { post: [], feed_item: [], record: [] },
    },
  },
})

const images = (...names: string[]) => ({
  $type: 'app.bsky.embed.images',
  images: names.map((name) => ({ image: blob(name), alt: name })),
})
const linkOf = (name: string): string => (blob(name)['ref'] as { $link: string }).$link
const quoted = createEvent({ did: bob, record: post({ text: 'quoted' }) })
const quotes = { $type: 'app.bsky.embed.record', record: refTo(quoted) }
const withImages = createEvent({ did: alice, record: post({ embed: images('one', 'two') }) })
const withQuote = createEvent({ did: alice, record: post({ embed: quotes }) })
const external = { uri: 'https://a.test/', title: 'A', description: 'of a', thumb: blob('thumb') }
const withBoth = createEvent({
  did: alice,
  record: post({
    embed: {
      $type: 'app.bsky.embed.recordWithMedia',
      record: { $type: 'app.bsky.embed.record', record: refTo(quoted) },
      media: { $type: 'app.bsky.embed.external', external },
    },
  }),
})

describePlugin(feedPost, {
  database,
  plugins: [feedPostgate],
  cases: {
    'images are rows in their order, and an update replaces them (X11)': {
      events: [withImages],
      rows: {
        post_embed_image: [
          { postUri: recordUri(withImages), position: '0', imageCid: linkOf('one'), alt: 'one' },
          { postUri: recordUri(withImages), position: '1', imageCid: linkOf('two'), alt: 'two' },
        ],
      },
      update: {
        record: post({ embed: images('three') }),
        rows: { post_embed_image: [{ position: '0', imageCid: linkOf('three') }] },
      },
    },
    'an empty list of images is a post without any': {
      events: [createEvent({ did: alice, record: post({ embed: images() }) })],
      rows: { post: [{ creator: alice }], post_embed_image: [] },
    },
    'a gallery has the images of its items': {
      events: [
        createEvent({
          did: alice,
          record: post({
            embed: {
              $type: 'app.bsky.embed.gallery',
              items: [
                {
                  $type: 'app.bsky.embed.gallery#image',
                  image: blob('one'),
                  alt: 'one',
                  aspectRatio: { width: 1, height: 1 },
                },
                { $type: 'test.other#item' },
                {
                  $type: 'app.bsky.embed.gallery#image',
                  image: blob('two'),
                  alt: '',
                  aspectRatio: { width: 1, height: 1 },
                },
              ],
            },
          }),
        }),
      ],
      rows: {
        post_embed_gallery_image: [
          { position: '0', imageCid: linkOf('one'), alt: 'one' },
          { position: '2', imageCid: linkOf('two'), alt: '' },
        ],
      },
    },
    'a link has its card': {
      events: [createEvent({ did: alice, record: post({ embed: { $type: 'app.bsky.embed.external', external } }) })],
      rows: {
        post_embed_external: [{ uri: 'https://a.test/', title: 'A', description: 'of a', thumbCid: linkOf('thumb') }],
      },
      update: { record: post(), rows: { post_embed_external: [] } },
    },
    'a video has its blob, and an update replaces it': {
      events: [
        createEvent({
          did: alice,
          record: post({ embed: { $type: 'app.bsky.embed.video', video: blob('film', 'video/mp4') } }),
        }),
      ],
      rows: { post_embed_video: [{ videoCid: linkOf('film'), alt: null }] },
      update: {
        record: post({ embed: { $type: 'app.bsky.embed.video', video: blob('remake', 'video/mp4'), alt: 'again' } }),
        rows: { post_embed_video: [{ videoCid: linkOf('remake'), alt: 'again' }] },
      },
    },
    'a quote is counted and told to the author of what it quotes': {
      events: [quoted, withQuote],
      rows: {
        quote: [{ uri: recordUri(withQuote), subject: recordUri(quoted), subjectCid: quoted.cid }],
        post_embed_record: [{ postUri: recordUri(withQuote), embedUri: recordUri(quoted), embedCid: quoted.cid }],
        post_agg: [{ uri: recordUri(quoted), quoteCount: 1 }],
        notification: [{ did: bob, reason: 'quote', reasonSubject: recordUri(quoted) }],
      },
      update: {
        record: post({ text: 'no longer' }),
        rows: { quote: [], post_embed_record: [], post_agg: [{ quoteCount: 0 }], notification: [] },
      },
    },
    'a quote stays when what it quotes goes (X13)': {
      events: [quoted, withQuote, deleteEvent(quoted)],
      rows: { quote: [{ subject: recordUri(quoted) }], post_agg: [{ uri: recordUri(quoted), quoteCount: 1 }] },
    },
    'a record with media is both': {
      events: [withBoth],
      rows: {
        quote: [{ uri: recordUri(withBoth), subject: recordUri(quoted) }],
        post_embed_record: [{ embedUri: recordUri(quoted) }],
        post_embed_external: [{ title: 'A' }],
        notification: [{ did: bob, reason: 'quote' }],
      },
    },
    'embedding a list is no quote': {
      events: [
        createEvent({
          did: alice,
          record: post({
            embed: {
              $type: 'app.bsky.embed.record',
              record: { uri: `at://${bob}/app.bsky.graph.list/3kabcdefghijk`, cid: quoted.cid },
            },
          }),
        }),
      ],
      rows: { post_embed_record: [{ embedCid: quoted.cid }], quote: [], notification: [], post_agg: [] },
    },
    'an embed of a type that nobody knows leads to no rows, and the post stays': {
      events: [createEvent({ did: alice, record: post({ embed: { $type: 'test.millrace.embed', any: [1] } }) })],
      rows: { post: [{ creator: alice }], post_embed_record: [], post_embed_image: [] },
    },
    'a post that may not be quoted makes the quote a violation and silences it, whichever comes first (X12)': {
      events: [
        quoted,
        withQuote,
        createEvent({
          did: bob,
          rkey: quoted.rkey,
          record: record('app.bsky.feed.postgate', {
            post: recordUri(quoted),
            embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }],
          }),
        }),
      ],
      rows: {
        post: [
          { uri: recordUri(quoted), hasPostGate: true },
          { uri: recordUri(withQuote), violatesEmbeddingRules: true },
        ],
        quote: [{ uri: recordUri(withQuote) }],
        notification: [],
      },
    },
    'the author may quote what nobody else may': {
      events: [
        quoted,
        createEvent({ did: bob, record: post({ embed: quotes }) }),
        createEvent({
          did: bob,
          rkey: quoted.rkey,
          record: record('app.bsky.feed.postgate', {
            post: recordUri(quoted),
            embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }],
          }),
        }),
      ],
      rows: {
        post: [
          { creator: bob, violatesEmbeddingRules: null },
          { creator: bob, violatesEmbeddingRules: null },
        ],
      },
    },
  },
})

const root = createEvent({ did: alice, record: post({ text: 'root' }) })
const parent = createEvent({ did: bob, record: post({ text: 'parent', reply: replyTo(root, root) }) })
const reply = createEvent({ did: carol, record: post({ text: 'reply', reply: replyTo(root, parent) }) })
const elsewhere = createEvent({ did: alice, record: post({ text: 'elsewhere' }) })
const misplaced = createEvent({ did: carol, record: post({ text: 'misplaced', reply: replyTo(elsewhere, parent) }) })
const ownReply = createEvent({ did: alice, record: post({ text: 'own', reply: replyTo(root, root) }) })
const mentioning = createEvent({
  did: alice,
  record: post({ text: 'hello', facets: [mention(bob), mention(alice), mention(bob), mention(carol)] }),
})

describePlugin(feedPost, {
  database,
  plugins: [feedRepost],
  cases: {
    'a mention is told once to everyone but the author': {
      events: [mentioning],
      rows: {
        notification: [
          { did: bob, reason: 'mention', reasonSubject: null },
          { did: carol, reason: 'mention', reasonSubject: null },
        ],
      },
      update: { record: post({ facets: [mention(carol)] }), rows: { notification: [{ did: carol }] } },
    },
    'a reply is counted at its parent and told to the authors above it, in whatever order they come (X12)': {
      events: [root, parent, reply],
      rows: {
        post: [
          { uri: recordUri(root), invalidReplyRoot: null },
          { uri: recordUri(parent), replyRoot: recordUri(root), replyParent: recordUri(root), invalidReplyRoot: null },
          { uri: recordUri(reply), replyParent: recordUri(parent), replyRootCid: root.cid, invalidReplyRoot: null },
        ],
        notification: [
          { recordUri: recordUri(parent), did: alice, reason: 'reply', reasonSubject: recordUri(root) },
          { recordUri: recordUri(reply), did: bob, reason: 'reply', reasonSubject: recordUri(parent) },
          { recordUri: recordUri(reply), did: alice, reason: 'reply', reasonSubject: recordUri(root) },
        ],
        op_thread_reply: [],
      },
      update: {
        record: post({ text: 'no reply any more' }),
        rows: {
          notification: [{ recordUri: recordUri(parent) }],
          post: [{ uri: recordUri(root) }, { uri: recordUri(parent) }, { uri: recordUri(reply), replyRoot: null }],
        },
      },
    },
    'a post of last week is no news, whom it mentions, quotes or answers (X14)': {
      events: [
        root,
        createEvent({
          did: bob,
          record: post({
            reply: replyTo(root, root),
            facets: [mention(carol)],
            embed: quotes,
            createdAt: '2026-01-08T10:00:00Z',
          }),
        }),
      ],
      rows: { post: [{ creator: alice }, { creator: bob, violatesThreadGate: null }], notification: [] },
    },
    'a reply whose parent is gone is invalid (X12, X13)': {
      events: [root, parent, reply, deleteEvent(parent)],
      rows: {
        post: [{ uri: recordUri(root) }, { uri: recordUri(reply), invalidReplyRoot: true, violatesThreadGate: false }],
        notification: [],
      },
    },
    'a reply that names another root than its parent does is invalid': {
      events: [root, elsewhere, parent, misplaced],
      rows: {
        post: [
          { uri: recordUri(root) },
          { uri: recordUri(elsewhere) },
          { uri: recordUri(parent), invalidReplyRoot: null },
          { uri: recordUri(misplaced), invalidReplyRoot: true },
        ],
      },
    },
    'what the author of a thread says in it is kept as a chain': {
      events: [root, ownReply],
      rows: {
        op_thread_reply: [
          { rootUri: recordUri(root), parentUri: recordUri(root), uri: recordUri(ownReply), deletedAt: null },
        ],
        notification: [],
      },
      update: { record: post({ text: 'no reply any more' }), rows: { op_thread_reply: [] } },
    },
    'a repost stays in the feed when the post is changed (X13)': {
      events: [
        root,
        createEvent({ did: bob, record: record('app.bsky.feed.repost', { subject: refTo(root) }) }),
        updateEvent(root, post({ text: 'better' })),
      ],
      rows: {
        feed_item: [
          { type: 'post', postUri: recordUri(root) },
          { type: 'repost', postUri: recordUri(root), originatorDid: bob },
        ],
      },
    },
  },
})

const gateOf = (allow: object[] | undefined, more: object = {}) =>
  createEvent({
    did: alice,
    rkey: root.rkey,
    record: record('app.bsky.feed.threadgate', { post: recordUri(root), ...(allow && { allow }), ...more }),
  })
const rule = (name: string, more: object = {}) => ({ $type: `app.bsky.feed.threadgate#${name}`, ...more })
const rootMentioning = updateEvent(root, post({ text: 'root', facets: [mention(bob)] }))
const list = createEvent({
  did: alice,
  record: record('app.bsky.graph.list', { name: 'friends', purpose: 'app.bsky.graph.defs#curatelist' }),
})

describePlugin(feedPost, {
  database,
  plugins: [feedThreadgate],
  cases: {
    'a gate that lets nobody in makes a reply a violation, uncounted and untold, whichever comes first (X12)': {
      events: [root, parent, gateOf([])],
      rows: {
        post: [
          { uri: recordUri(root), hasThreadGate: true },
          { uri: recordUri(parent), invalidReplyRoot: false, violatesThreadGate: true },
        ],
        post_agg: [{ uri: recordUri(root), replyCount: 0 }],
        notification: [],
      },
    },
    'a gate counts for replies at any depth, whatever comes first (X12)': {
      events: [root, parent, reply, gateOf([])],
      rows: {
        post: [
          { uri: recordUri(root), hasThreadGate: true },
          { uri: recordUri(parent), invalidReplyRoot: false, violatesThreadGate: true },
          { uri: recordUri(reply), invalidReplyRoot: false, violatesThreadGate: true },
        ],
        post_agg: [
          { uri: recordUri(root), replyCount: 0 },
          { uri: recordUri(parent), replyCount: 0 },
        ],
        notification: [],
      },
    },
    'a gate that is gone forbids nothing': {
      events: [root, parent, gateOf([]), deleteEvent(gateOf([]))],
      rows: {
        post: [{ uri: recordUri(root), hasThreadGate: null }, { violatesThreadGate: null }],
        post_agg: [{ uri: recordUri(root), replyCount: 1 }],
        notification: [{ did: alice, reason: 'reply' }],
      },
    },
    'the author of the root may always reply, and a gate without rules lets everyone in': {
      events: [root, ownReply, gateOf([])],
      rows: { post: [{ uri: recordUri(root) }, { uri: recordUri(ownReply), violatesThreadGate: null }] },
    },
    'a gate may let in whom the root mentions': {
      events: [root, rootMentioning, parent, gateOf([rule('mentionRule')])],
      rows: {
        post: [{ uri: recordUri(root) }, { uri: recordUri(parent), violatesThreadGate: null }],
        post_agg: [{ uri: recordUri(root), replyCount: 1 }],
      },
    },
    'a gate judges a reply whose parent is missing, whichever comes first (X12)': {
      events: [reply, gateOf([])],
      rows: { post: [{ invalidReplyRoot: true, violatesThreadGate: true }] },
    },
    'nobody above a reply that the author hides hears of what is below it': {
      events: [root, parent, reply, gateOf(undefined, { hiddenReplies: [recordUri(parent)] })],
      rows: {
        post: [{}, {}, {}],
        notification: [
          { recordUri: recordUri(parent), did: alice },
          { recordUri: recordUri(reply), did: bob },
        ],
      },
    },
  },
})

const following = createEvent({ did: alice, record: record('app.bsky.graph.follow', { subject: bob }) })
const follower = createEvent({ did: bob, record: record('app.bsky.graph.follow', { subject: alice }) })
const member = createEvent({
  did: alice,
  record: record('app.bsky.graph.listitem', { subject: bob, list: recordUri(list) }),
})

// Follows and list members count as they are when a reply is judged, so their own order matters.
describePlugin(feedPost, {
  database,
  plugins: [feedThreadgate, graphFollow, graphList, graphListitem],
  orders: 0,
  cases: Object.fromEntries(
    [
      { name: 'whom its author follows', with: following, rule: rule('followingRule'), lets: true },
      { name: 'whom its author follows, and no followers', with: follower, rule: rule('followingRule'), lets: false },
      { name: 'who follows its author', with: follower, rule: rule('followerRule'), lets: true },
      { name: 'who is on a list', with: member, rule: rule('listRule', { list: recordUri(list) }), lets: true },
      {
        name: 'who is on a list, and nobody else',
        with: list,
        rule: rule('listRule', { list: recordUri(list) }),
        lets: false,
      },
    ].map((each) => [
      `a gate may let in ${each.name}`,
      {
        events: [each.with, gateOf([each.rule]), root, parent],
        rows: {
          post: [{ uri: recordUri(root) }, { uri: recordUri(parent), violatesThreadGate: each.lets ? null : true }],
        },
      },
    ]),
  ),
})

describePlugin(feedPost, {
  database,
  cases: {
    'a reply to a list has the list as its root, which has no gate': {
      events: [
        createEvent({
          did: bob,
          record: post({
            reply: {
              root: { uri: `at://${alice}/app.bsky.graph.list/3kabcdefghijk`, cid: cidOf('list') },
              parent: { uri: `at://${alice}/app.bsky.graph.list/3kabcdefghijk`, cid: cidOf('list') },
            },
          }),
        }),
      ],
      rows: { post: [{ invalidReplyRoot: true, violatesThreadGate: false }] },
    },
  },
})
