import { expect, test } from 'vitest'
import { appBskyPlugins } from './index.ts'

test('every collection that a Bluesky AppView reads has its plugin', () => {
  const tables = appBskyPlugins.map(({ collection, table }) => [collection.collection, table ?? 'record'])
  expect(Object.fromEntries(tables)).toEqual({
    'app.bsky.actor.profile': 'profile',
    'app.bsky.actor.status': 'record',
    'app.bsky.feed.generator': 'feed_generator',
    'app.bsky.feed.like': 'like',
    'app.bsky.feed.post': 'post',
    'app.bsky.feed.postgate': 'post_gate',
    'app.bsky.feed.repost': 'repost',
    'app.bsky.feed.threadgate': 'thread_gate',
    'app.bsky.graph.block': 'actor_block',
    'app.bsky.graph.follow': 'follow',
    'app.bsky.graph.list': 'list',
    'app.bsky.graph.listblock': 'list_block',
    'app.bsky.graph.listitem': 'list_item',
    'app.bsky.graph.referencelistoptout': 'reference_list_opt_out',
    'app.bsky.graph.starterpack': 'starter_pack',
    'app.bsky.graph.verification': 'verification',
    'app.bsky.labeler.service': 'labeler',
    'app.bsky.notification.declaration': 'record',
    'chat.bsky.actor.declaration': 'record',
    'com.germnetwork.declaration': 'record',
  })
})
