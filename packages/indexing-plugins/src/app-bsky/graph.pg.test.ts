import { createEvent, describePlugin, updateEvent } from '@millrace/indexing/testing'
import { recordUri } from '@millrace/stream-protocol'
import { inject } from 'vitest'
import '@millrace/testing'
import { alice, bob, carol, createdAt, record } from '../testing/records.ts'
import { graphBlock } from './graph-block.ts'
import { graphFollow } from './graph-follow.ts'
import { graphList } from './graph-list.ts'
import { graphListblock } from './graph-listblock.ts'
import { graphListitem } from './graph-listitem.ts'
import { graphReferencelistoptout } from './graph-referencelistoptout.ts'
import { graphStarterpack } from './graph-starterpack.ts'
import { graphVerification } from './graph-verification.ts'

const database = (): string => inject('postgresUrl')

const follow = createEvent({ did: alice, record: record('app.bsky.graph.follow', { subject: bob }) })
const again = createEvent({ did: alice, record: record('app.bsky.graph.follow', { subject: bob, again: true }) })
const thirdTime = createEvent({ did: alice, record: record('app.bsky.graph.follow', { subject: bob, again: 3 }) })
const ofBob = { uri: recordUri(follow), creator: alice, subjectDid: bob, createdAt, sortAt: createdAt }

describePlugin(graphFollow, {
  database,
  cases: {
    'a follow is one row, counted on both sides and told to the one who is followed': {
      events: [follow],
      rows: {
        follow: [ofBob],
        profile_agg: [
          { did: alice, followsCount: 1, followersCount: 0 },
          { did: bob, followsCount: 0, followersCount: 1 },
        ],
        notification: [{ did: bob, author: alice, reason: 'follow', reasonSubject: null, sortAt: createdAt }],
        actor: [{ did: alice, handle: null }],
        duplicate_record: [],
      },
      update: {
        record: record('app.bsky.graph.follow', { subject: carol }),
        rows: {
          follow: [{ uri: recordUri(follow), subjectDid: carol }],
          notification: [{ did: carol, reason: 'follow' }],
        },
      },
    },
    'following three times is one follow: the smallest URI has it, the others wait (X7)': {
      events: [follow, again, thirdTime],
      rows: {
        follow: [ofBob],
        duplicate_record: [
          { uri: recordUri(again), duplicateOf: recordUri(follow) },
          { uri: recordUri(thirdTime), duplicateOf: recordUri(follow) },
        ],
        profile_agg: [
          { did: alice, followsCount: 1 },
          { did: bob, followersCount: 1 },
        ],
        notification: [{ did: bob, recordUri: recordUri(follow) }],
      },
      update: {
        record: record('app.bsky.graph.follow', { subject: carol }),
        rows: {
          follow: [
            { uri: recordUri(follow), subjectDid: bob },
            { uri: recordUri(thirdTime), subjectDid: carol },
          ],
          duplicate_record: [{ uri: recordUri(again) }],
        },
      },
    },
    'following oneself is counted and told to nobody': {
      events: [createEvent({ did: alice, record: record('app.bsky.graph.follow', { subject: alice }) })],
      rows: {
        profile_agg: [{ did: alice, followsCount: 1, followersCount: 1 }],
        notification: [],
      },
    },
    'a follow of last week is no news (X14)': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.graph.follow', { subject: bob, createdAt: '2026-01-08T10:00:00Z' }),
        }),
      ],
      rows: { follow: [{ subjectDid: bob }], profile_agg: [{ did: alice }, { did: bob }], notification: [] },
    },
    'a time of creation in the future does not put a follow on top for ever (J10)': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.graph.follow', { subject: bob, createdAt: '2090-01-01T00:00:00Z' }),
        }),
      ],
      rows: { follow: [{ createdAt: '2090-01-01T00:00:00.000Z', sortAt: '2026-01-15T12:00:00.000Z' }] },
    },
  },
})

const block = createEvent({ did: alice, record: record('app.bsky.graph.block', { subject: bob }) })

describePlugin(graphBlock, {
  database,
  cases: {
    'a block is one row and told to nobody': {
      events: [block],
      rows: { actor_block: [{ uri: recordUri(block), creator: alice, subjectDid: bob }], notification: [] },
      update: {
        record: record('app.bsky.graph.block', { subject: carol }),
        rows: { actor_block: [{ subjectDid: carol }] },
      },
    },
    'blocking twice is one block, and the other record waits (X7)': {
      events: [block, createEvent({ did: alice, record: { ...block.record, again: true } })],
      rows: {
        actor_block: [{ uri: recordUri(block) }],
        duplicate_record: [{ duplicateOf: recordUri(block) }],
      },
      update: {
        record: record('app.bsky.graph.block', { subject: carol }),
        rows: { actor_block: [{ subjectDid: bob }, { subjectDid: carol }], duplicate_record: [] },
      },
    },
  },
})

const list = createEvent({
  did: alice,
  record: record('app.bsky.graph.list', {
    name: 'friends',
    purpose: 'app.bsky.graph.defs#curatelist',
    description: 'of mine',
    descriptionFacets: [
      {
        index: { byteStart: 0, byteEnd: 2 },
        features: [{ $type: 'app.bsky.richtext.facet#link', uri: 'https://a.test' }],
      },
    ],
  }),
})

describePlugin(graphList, {
  database,
  cases: {
    'a list has its name, purpose and description': {
      events: [list],
      rows: {
        list: [
          {
            name: 'friends',
            purpose: 'app.bsky.graph.defs#curatelist',
            description: 'of mine',
            descriptionFacets: JSON.stringify(list.record['descriptionFacets']),
            avatarCid: null,
          },
        ],
      },
      update: {
        record: record('app.bsky.graph.list', { name: 'foes', purpose: 'app.bsky.graph.defs#modlist' }),
        rows: {
          list: [{ name: 'foes', purpose: 'app.bsky.graph.defs#modlist', description: null, descriptionFacets: null }],
        },
      },
    },
  },
})

const item = createEvent({
  did: alice,
  record: record('app.bsky.graph.listitem', { subject: bob, list: recordUri(list) }),
})

describePlugin(graphListitem, {
  database,
  plugins: [graphList],
  cases: {
    'an item puts an account on a list': {
      events: [item, list],
      rows: { list_item: [{ creator: alice, subjectDid: bob, listUri: recordUri(list) }] },
      update: {
        record: record('app.bsky.graph.listitem', { subject: carol, list: recordUri(list) }),
        rows: { list_item: [{ uri: recordUri(item), subjectDid: carol }] },
      },
    },
    'an item twice is one item, and the other record waits (X7)': {
      events: [item, createEvent({ did: alice, record: { ...item.record, again: true } })],
      rows: {
        list_item: [{ uri: recordUri(item) }],
        duplicate_record: [{ duplicateOf: recordUri(item) }],
      },
    },
    'an item that moves to a list of somebody else is no record any more (X9)': {
      events: [item, updateEvent(item, { ...item.record, list: `at://${bob}/app.bsky.graph.list/3kabcdefghijk` })],
      rows: { list_item: [], record: [] },
    },
    'an item of a list of somebody else is no record': {
      events: [
        createEvent({
          did: bob,
          record: record('app.bsky.graph.listitem', { subject: bob, list: recordUri(list) }),
        }),
      ],
      rows: { list_item: [], record: [] },
    },
  },
})

const otherList = `at://${carol}/app.bsky.graph.list/3kabcdefghijk`
const listblock = createEvent({
  did: bob,
  record: record('app.bsky.graph.listblock', { subject: recordUri(list) }),
})

describePlugin(graphListblock, {
  database,
  cases: {
    'blocking a list is one row': {
      events: [listblock],
      rows: { list_block: [{ creator: bob, subjectUri: recordUri(list) }] },
      update: {
        record: record('app.bsky.graph.listblock', { subject: otherList }),
        rows: { list_block: [{ uri: recordUri(listblock), subjectUri: otherList }] },
      },
    },
    'blocking a list twice is one row, and the other record waits (X7)': {
      events: [listblock, createEvent({ did: bob, record: { ...listblock.record, again: true } })],
      rows: {
        list_block: [{ uri: recordUri(listblock) }],
        duplicate_record: [{ duplicateOf: recordUri(listblock) }],
      },
    },
  },
})

const optOut = createEvent({
  did: bob,
  record: record('app.bsky.graph.referencelistoptout', { subject: recordUri(list) }),
})

describePlugin(graphReferencelistoptout, {
  database,
  cases: {
    'opting out of a list is one row': {
      events: [optOut],
      rows: { reference_list_opt_out: [{ creator: bob, subjectUri: recordUri(list) }] },
      update: {
        record: record('app.bsky.graph.referencelistoptout', { subject: otherList }),
        rows: { reference_list_opt_out: [{ uri: recordUri(optOut), subjectUri: otherList }] },
      },
    },
    'opting out twice is one row, and the other record waits (X7)': {
      events: [optOut, createEvent({ did: bob, record: { ...optOut.record, again: true } })],
      rows: {
        reference_list_opt_out: [{ uri: recordUri(optOut) }],
        duplicate_record: [{ duplicateOf: recordUri(optOut) }],
      },
    },
    'a subject in another form than readers look up has no row, and is kept as a record': {
      events: [
        createEvent({
          did: bob,
          record: record('app.bsky.graph.referencelistoptout', {
            subject: 'at://alice.test/app.bsky.graph.list/3kabcdefghijk',
          }),
        }),
      ],
      rows: { reference_list_opt_out: [], record: [{ did: bob }] },
    },
  },
})

const pack = createEvent({
  did: alice,
  record: record('app.bsky.graph.starterpack', { name: 'begin here', list: recordUri(list) }),
})

describePlugin(graphStarterpack, {
  database,
  cases: {
    'a starter pack has its name': {
      events: [pack],
      rows: { starter_pack: [{ uri: recordUri(pack), creator: alice, name: 'begin here' }] },
      update: {
        record: record('app.bsky.graph.starterpack', { name: 'or here', list: recordUri(list) }),
        rows: { starter_pack: [{ uri: recordUri(pack), name: 'or here' }] },
      },
    },
  },
})

const verified = { subject: bob, handle: 'bob.test', displayName: 'Bob' }
const verification = createEvent({ did: alice, record: record('app.bsky.graph.verification', verified) })

describePlugin(graphVerification, {
  database,
  cases: {
    'a verification is one row, and the one who is verified hears of it': {
      events: [verification],
      rows: {
        verification: [{ ...verified, creator: alice, rkey: verification.rkey, sortedAt: createdAt }],
        notification: [{ did: bob, reason: 'verified', reasonSubject: null }],
      },
      update: {
        record: record('app.bsky.graph.verification', { ...verified, handle: 'bobby.test' }),
        rows: {
          verification: [{ handle: 'bobby.test' }],
          notification: [{ did: bob, reason: 'verified' }],
        },
      },
    },
    'verifying twice is one verification, and the other record waits, unheard (X7)': {
      events: [verification, createEvent({ did: alice, record: { ...verification.record, handle: 'bobby.test' } })],
      rows: {
        verification: [{ uri: recordUri(verification), handle: 'bob.test' }],
        duplicate_record: [{ duplicateOf: recordUri(verification) }],
        notification: [{ did: bob, recordUri: recordUri(verification) }],
      },
    },
    'verifying oneself is told to nobody': {
      events: [createEvent({ did: bob, record: record('app.bsky.graph.verification', verified) })],
      rows: { verification: [{ creator: bob, subject: bob }], notification: [] },
    },
  },
})
