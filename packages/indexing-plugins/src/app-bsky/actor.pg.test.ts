import { cidOf, createEvent, describePlugin, updateEvent } from '@millrace/indexing/testing'
import { recordUri } from '@millrace/stream-protocol'
import { inject } from 'vitest'
import '@millrace/testing'
import { alice, blob, bob, createdAt, mention, record } from '../testing/records.ts'
import { actorProfile } from './actor-profile.ts'
import { actorStatus } from './actor-status.ts'
import { chatDeclaration } from './chat-declaration.ts'
import { feedGenerator } from './feed-generator.ts'
import { germDeclaration } from './germ-declaration.ts'
import { labelerService } from './labeler-service.ts'
import { notificationDeclaration } from './notification-declaration.ts'

const database = (): string => inject('postgresUrl')

const pack = { uri: `at://${bob}/app.bsky.graph.starterpack/3kabcdefghijk`, cid: blob('pack')['ref'] }
const joinedViaStarterPack = { uri: pack.uri, cid: (pack.cid as { $link: string }).$link }
const profile = createEvent({
  did: alice,
  rkey: 'self',
  record: record('app.bsky.actor.profile', {
    displayName: 'Alice',
    description: 'writes',
    avatar: blob('face'),
    banner: blob('sky'),
    joinedViaStarterPack,
  }),
})

describePlugin(actorProfile, {
  database,
  cases: {
    'a profile has its texts and pictures, and the pack it joined by is told': {
      events: [profile],
      rows: {
        profile: [
          {
            uri: `at://${alice}/app.bsky.actor.profile/self`,
            creator: alice,
            displayName: 'Alice',
            description: 'writes',
            avatarCid: (blob('face')['ref'] as { $link: string }).$link,
            bannerCid: (blob('sky')['ref'] as { $link: string }).$link,
            joinedViaStarterPackUri: pack.uri,
            createdAt,
          },
        ],
        notification: [{ did: bob, author: alice, reason: 'starterpack-joined', reasonSubject: pack.uri }],
      },
      update: {
        record: record('app.bsky.actor.profile', { displayName: 'Alice B.' }),
        rows: {
          profile: [{ displayName: 'Alice B.', description: null, avatarCid: null, joinedViaStarterPackUri: null }],
          notification: [],
        },
      },
    },
    'joining by one’s own pack is told to nobody': {
      events: [
        createEvent({
          did: bob,
          rkey: 'self',
          record: record('app.bsky.actor.profile', { joinedViaStarterPack }),
        }),
      ],
      rows: { profile: [{ creator: bob, joinedViaStarterPackUri: pack.uri }], notification: [] },
    },
    'who joined long ago is no news, however new the profile is (X14)': {
      events: [
        updateEvent(
          profile,
          record('app.bsky.actor.profile', { joinedViaStarterPack, createdAt: '2026-01-10T10:00:00Z' }),
        ),
      ],
      rows: { profile: [{ joinedViaStarterPackUri: pack.uri }], notification: [] },
    },
    'a profile that does not say when it was made counts from when it was seen': {
      events: [createEvent({ did: alice, rkey: 'self', record: { $type: 'app.bsky.actor.profile' } })],
      rows: { profile: [{ createdAt: '2026-01-15T12:00:00.000Z', displayName: null }] },
    },
    'a profile under another key than self is a record without a row': {
      events: [createEvent({ did: alice, rkey: 'other', record: { $type: 'app.bsky.actor.profile' } })],
      rows: { profile: [], record: [{ did: alice }] },
    },
    'a profile that names its starter pack by a handle is no record: readers fail on it (J11)': {
      events: [
        createEvent({
          did: alice,
          rkey: 'self',
          record: record('app.bsky.actor.profile', {
            joinedViaStarterPack: { uri: 'at://bob.test/app.bsky.graph.starterpack/3kabcdefghijk', cid: cidOf('pack') },
          }),
        }),
      ],
      rows: { profile: [], record: [], notification: [] },
    },
    'text that Postgres cannot hold is made so that it can (J5)': {
      events: [
        createEvent({
          did: alice,
          rkey: 'self',
          record: record('app.bsky.actor.profile', { displayName: 'A\u0000\uD800' }),
        }),
      ],
      rows: { profile: [{ displayName: 'A\uFFFD\uFFFD' }] },
    },
    'an avatar in the form of the first days is no reason to refuse a profile (J3)': {
      events: [
        createEvent({
          did: alice,
          rkey: 'self',
          record: record('app.bsky.actor.profile', {
            avatar: { cid: (blob('face')['ref'] as { $link: string }).$link, mimeType: 'image/png' },
          }),
        }),
      ],
      rows: { profile: [{ avatarCid: (blob('face')['ref'] as { $link: string }).$link }] },
    },
  },
})

const generator = createEvent({
  did: alice,
  rkey: 'cats',
  record: record('app.bsky.feed.generator', { did: 'did:web:feeds.test', displayName: 'Cats', avatar: blob('cat') }),
})

describePlugin(feedGenerator, {
  database,
  cases: {
    'a feed has its service and its name': {
      events: [generator],
      rows: {
        feed_generator: [
          {
            uri: recordUri(generator),
            feedDid: 'did:web:feeds.test',
            displayName: 'Cats',
            description: null,
            descriptionFacets: null,
            avatarCid: (blob('cat')['ref'] as { $link: string }).$link,
          },
        ],
      },
      update: {
        record: record('app.bsky.feed.generator', {
          did: 'did:web:dogs.test',
          displayName: 'Dogs',
          description: 'bark',
          descriptionFacets: [mention(bob)],
        }),
        rows: {
          feed_generator: [
            {
              feedDid: 'did:web:dogs.test',
              displayName: 'Dogs',
              description: 'bark',
              descriptionFacets: JSON.stringify([mention(bob)]),
              avatarCid: null,
            },
          ],
        },
      },
    },
  },
})

const policies = { labelValues: ['spam'] }

describePlugin(labelerService, {
  database,
  cases: {
    'a labeler is one row': {
      events: [createEvent({ did: alice, rkey: 'self', record: record('app.bsky.labeler.service', { policies }) })],
      rows: { labeler: [{ creator: alice, createdAt }] },
      update: {
        record: record('app.bsky.labeler.service', { policies: { labelValues: [] } }),
        rows: { labeler: [{ creator: alice }] },
      },
    },
    'a labeler under another key than self is a record without a row': {
      events: [createEvent({ did: alice, rkey: 'other', record: record('app.bsky.labeler.service', { policies }) })],
      rows: { labeler: [], record: [{ did: alice }] },
    },
  },
})

for (const [plugin, content, other] of [
  [actorStatus, { status: 'app.bsky.actor.status#live', durationMinutes: 5 }, { status: 'app.bsky.actor.status#live' }],
  [notificationDeclaration, { allowSubscriptions: 'followers' }, { allowSubscriptions: 'none' }],
  [chatDeclaration, { allowIncoming: 'all' }, { whatever: ['it', 'says'] }],
  [
    germDeclaration,
    { version: '1.0.0', currentKey: { $bytes: 'AQID' } },
    { version: '1.0.1', currentKey: { $bytes: 'AQIE' } },
  ],
] as const) {
  const { collection } = plugin.collection
  const made = createEvent({ did: alice, rkey: 'self', record: record(collection, content) })
  describePlugin(plugin, {
    database,
    cases: {
      'it is kept as a record, byte for byte (J14)': {
        events: [made],
        rows: { record: [{ uri: recordUri(made), cid: made.cid, did: alice, json: JSON.stringify(made.record) }] },
        update: {
          record: record(collection, other),
          rows: { record: [{ uri: recordUri(made), json: JSON.stringify(record(collection, other)) }] },
        },
      },
    },
  })
}

describePlugin(chatDeclaration, {
  database,
  cases: {
    'whatever a declaration for chat says is kept, without a type too': {
      events: [
        createEvent({
          did: alice,
          rkey: 'self',
          collection: 'chat.bsky.actor.declaration',
          record: { any: { thing: 1 } },
        }),
      ],
      rows: { record: [{ did: alice, json: '{"any":{"thing":1}}' }] },
      update: { record: {}, rows: { record: [{ json: '{}' }] } },
    },
  },
})
