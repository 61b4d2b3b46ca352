import { createEvent } from '@millrace/indexing/testing'
import type { RecordJson } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { publishedRecord } from './lexicons.ts'
import { alice, mention, post, record, refTo, replyTo } from './testing/records.ts'

const subject = createEvent({ did: alice, record: post() })

test.each<[string, RecordJson]>([
  ['a like', record('app.bsky.feed.like', { subject: refTo(subject), via: refTo(subject) })],
  ['a repost', record('app.bsky.feed.repost', { subject: refTo(subject) })],
  ['a follow', record('app.bsky.graph.follow', { subject: alice })],
  ['a block', record('app.bsky.graph.block', { subject: alice })],
  ['a list item', record('app.bsky.graph.listitem', { subject: alice, list: refTo(subject).uri })],
  ['a reply', post({ langs: ['en', 'pt-BR'], facets: [mention(alice)], reply: replyTo(subject, subject) })],
  ['a quote', post({ embed: { $type: 'app.bsky.embed.record', record: refTo(subject) } })],
  [
    'a link',
    post({
      embed: {
        $type: 'app.bsky.embed.external',
        external: { uri: 'https://example.com/a?b', title: 'a title', description: '' },
      },
    }),
  ],
])('%s is taken as it is, without the work of the full check', (_name, json) => {
  expect(publishedRecord(json['$type'] as string).parse(json)).toBe(json)
})
