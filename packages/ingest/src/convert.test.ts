import { encode } from '@atproto/lex-cbor'
import { cidForCbor, cidForRawBytes, type LexMap } from '@atproto/lex-data'
import { type BlockMap, blocksToCarFile, readCarWithRoot } from '@atproto/repo'
import { CollectionFilter, readStreamEvent, type StreamEvent } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { frameToEvents, type ConvertOptions } from './convert.ts'
import { decodeFrame } from './frame.ts'
import {
  accountFrame,
  alice,
  commitFrame,
  encodeFrame,
  identityFrame,
  infoFrame,
  now,
  post,
  TestRepo,
  type CommitBody,
} from './test-support/repos.ts'

const host = 'relay.test'
const otherCid = await cidForCbor(encode({ other: true }))
const convert = (bytes: Uint8Array, options: Partial<ConvertOptions> = {}) =>
  frameToEvents(decodeFrame(bytes), { host, ...options })

const path = (n: number) => `app.bsky.feed.post/3k${n}`
const create = (n: number, record: LexMap = post(`post ${n}`)) => ({ action: 'create' as const, path: path(n), record })

/** A repo with some records, which is about to make a commit. */
async function repoWith(count = 5): Promise<TestRepo> {
  const repo = await TestRepo.create()
  await repo.commit(...Array.from({ length: count }, (_, n) => create(n)))
  return repo
}

/** Changes the blocks of a commit. */
async function withBlocks(body: CommitBody, change: (blocks: BlockMap) => void): Promise<CommitBody> {
  const { root, blocks } = await readCarWithRoot(body.blocks)
  change(blocks)
  return { ...body, blocks: await blocksToCarFile(root, blocks) }
}

describe('a #commit', () => {
  test('becomes one event for each operation, in order', async () => {
    const repo = await repoWith()
    const body = await repo.commit(
      create(10),
      { action: 'update', path: path(1), record: post('changed') },
      { action: 'delete', path: path(2) },
    )
    const result = convert(commitFrame(body))
    const shared = {
      seq: body.seq,
      time: now,
      did: alice,
      commit: body.commit.toString(),
      rev: body.rev,
      since: body.since,
      prevData: body.prevData?.toString(),
      data: repo.data,
      host,
      ops: 3,
      collection: 'app.bsky.feed.post',
    }
    const [created, updated] = body.ops.map(({ cid }) => String(cid))
    expect(result).toEqual({
      outcome: 'appended',
      did: alice,
      time: now,
      rejected: [],
      dirty: [],
      events: [
        { ...shared, type: 'create', op: 0, rkey: '3k10', cid: created, record: post('post 10') },
        { ...shared, type: 'update', op: 1, rkey: '3k1', cid: updated, record: post('changed') },
        { ...shared, type: 'delete', op: 2, rkey: '3k2' },
      ],
    })
    for (const event of result.events) readStreamEvent(JSON.parse(JSON.stringify(event)))
  })

  test('looks at nothing of accounts that are not taken (I17)', async () => {
    const body = await (await repoWith()).commit(create(10))
    const others = { dids: new Set(['did:plc:somebodyelse']) }
    expect(convert(commitFrame({ ...body, blocks: new Uint8Array(9) }), others)).toMatchObject({
      events: [],
      outcome: 'ignored',
      reason: 'other-account',
      dirty: [],
    })
    expect(convert(commitFrame(body), { dids: new Set([alice]) }).outcome).toBe('appended')
  })

  test('leaves collections out that are not taken, and is whole without them (I25)', async () => {
    const repo = await repoWith()
    const follow = { action: 'create' as const, path: 'app.bsky.graph.follow/3kf', record: { subject: alice } }
    const body = await repo.commit(create(10), follow, { action: 'delete', path: path(2) })
    const graph = convert(commitFrame(body), { collections: new CollectionFilter(['app.bsky.graph.*']) })
    expect(graph.events).toMatchObject([{ type: 'create', collection: 'app.bsky.graph.follow', op: 0, ops: 1 }])
    const { events } = convert(commitFrame(body), { collections: new CollectionFilter(['xyz.statusphere.*']) })
    expect(events).toMatchObject([{ type: 'repo', rev: body.rev, data: repo.data }])
  })

  test('where accounts are taken by collection, counts for those that are known if it is about no record that is taken (I25)', async () => {
    const repo = await repoWith()
    const taken = { byCollection: true, collections: new CollectionFilter(['app.bsky.graph.follow']) }
    const other = commitFrame(await repo.commit(create(10)))
    expect(convert(other, taken)).toMatchObject({ events: [{ type: 'repo', ifKnown: true }], dirty: [] })
    const body = await repo.commit({ action: 'create', path: 'app.bsky.graph.follow/3kf', record: { subject: alice } })
    const { events, dirty } = convert(commitFrame(body), taken)
    expect(events.map(({ ifKnown }) => ifKnown)).toEqual([undefined])
    expect(dirty).toEqual([])
    expect(convert(accountFrame(3), taken).events).toMatchObject([{ type: 'account', ifKnown: true }])
    expect(convert(identityFrame(4), taken).events).toMatchObject([{ type: 'identity', ifKnown: true }])
    for (const event of convert(other, taken).events) readStreamEvent(JSON.parse(JSON.stringify(event)))
  })

  test('where accounts are taken by collection, marks those that are not known only for a record that is taken (I25, G4)', async () => {
    const repo = await repoWith()
    const taken = { byCollection: true, collections: new CollectionFilter(['app.bsky.graph.follow']) }
    const bad = { blocks: new Uint8Array(9) }
    const mark = { did: alice, reason: 'bad-car', host }
    const other = await repo.commit(create(10))
    expect(convert(commitFrame({ ...other, ...bad }), taken).dirty).toEqual([
      { ...mark, rev: other.rev, ifKnown: true },
    ])
    const body = await repo.commit({ action: 'create', path: 'app.bsky.graph.follow/3kf', record: { subject: alice } })
    expect(convert(commitFrame({ ...body, ...bad }), taken).dirty).toEqual([{ ...mark, rev: body.rev }])
    // What came after a first commit may have been passed over before it.
    const first = await TestRepo.create()
    const { rev, ...rest } = await first.commit({
      action: 'create',
      path: 'app.bsky.graph.follow/3kf',
      record: { subject: alice },
    })
    const { events, dirty } = convert(commitFrame({ ...rest, rev, since: null, prevData: null }), taken)
    expect(events).toMatchObject([{ type: 'create' }])
    expect(dirty).toEqual([{ did: alice, reason: 'unknown-repo', host, rev }])
  })

  test('without operations becomes a repo event, so that its revision is known (I16)', async () => {
    const repo = await repoWith()
    const body = await repo.commit()
    expect(convert(commitFrame(body)).events).toEqual([
      {
        type: 'repo',
        seq: body.seq,
        time: now,
        did: alice,
        commit: body.commit.toString(),
        rev: body.rev,
        since: body.since,
        prevData: body.prevData?.toString(),
        data: repo.data,
        host,
      },
    ])
  })

  test('has its links, bytes and blobs in their JSON form (J3)', async () => {
    const ref = await cidForRawBytes(Buffer.from('image'))
    const record = {
      $type: 'app.bsky.feed.post',
      image: { $type: 'blob', ref, mimeType: 'image/png', size: 5 },
      legacy: { cid: ref.toString(), mimeType: 'image/png' },
      bytes: new Uint8Array([1, 2, 3, 4]),
      link: ref,
    }
    const { events } = convert(commitFrame(await (await repoWith()).commit(create(10, record))))
    expect(events[0]).toHaveProperty('record', {
      ...record,
      image: { ...record.image, ref: { $link: ref.toString() } },
      bytes: { $bytes: 'AQIDBA' },
      link: { $link: ref.toString() },
    })
  })

  test('of an older host, without prevData, is checked against its tree alone', async () => {
    const { prevData, ...body } = await (await repoWith()).commit(create(10))
    expect(prevData).toBeDefined()
    const [event] = convert(commitFrame(body)).events
    expect(event).toMatchObject({ type: 'create', since: body.since })
    expect(event).not.toHaveProperty('prevData')
  })

  test('that is the first of its repo follows nothing (I26)', async () => {
    const body = await (await TestRepo.create()).commit(create(1))
    const [event] = convert(commitFrame({ ...body, since: null, prevData: null })).events
    expect(event).not.toHaveProperty('since')
    expect(event).not.toHaveProperty('prevData')
  })

  type Change = (body: CommitBody) => CommitBody | Promise<CommitBody>
  const op =
    (change: object): Change =>
    (body) => ({
      ...body,
      ops: body.ops.map((op, index) => (index === 0 ? { ...op, ...change } : op)),
    })
  const invalid: { name: string; reason: string; change: Change }[] = [
    { name: 'of another account than it says', reason: 'bad-commit', change: (b) => ({ ...b, repo: `${alice}b` }) },
    { name: 'of another revision than it says', reason: 'bad-commit', change: (b) => ({ ...b, rev: '3zzzzzzzzzzz2' }) },
    { name: 'that is not the root of its blocks', reason: 'bad-commit', change: (b) => ({ ...b, commit: otherCid }) },
    { name: 'whose prevData is another tree', reason: 'bad-commit', change: (b) => ({ ...b, prevData: otherCid }) },
    { name: 'with a revision that is no TID', reason: 'bad-field', change: (b) => ({ ...b, rev: 'new' }) },
    { name: 'that follows no TID', reason: 'bad-field', change: (b) => ({ ...b, since: 'old' }) },
    { name: 'without a time', reason: 'bad-field', change: (b) => ({ ...b, time: 7 as never }) },
    { name: 'whose operations are no list', reason: 'bad-field', change: (b) => ({ ...b, ops: {} as never }) },
    { name: 'whose blocks are no CAR', reason: 'bad-car', change: (b) => ({ ...b, blocks: Buffer.from('blocks') }) },
    { name: 'whose CAR is cut off', reason: 'bad-car', change: (b) => ({ ...b, blocks: b.blocks.slice(0, -1) }) },
    { name: 'that claims another record', reason: 'bad-op', change: op({ cid: otherCid }) },
    { name: 'that claims another path', reason: 'bad-op', change: op({ path: path(11) }) },
    { name: 'that deletes what its tree still has', reason: 'bad-op', change: op({ action: 'delete', cid: null }) },
    { name: 'that creates without a CID', reason: 'bad-op', change: op({ cid: null }) },
    { name: 'that creates what was there', reason: 'bad-op', change: op({ prev: otherCid }) },
    { name: 'that updates what was not there', reason: 'bad-op', change: op({ action: 'update' }) },
    { name: 'that updates something else', reason: 'bad-commit', change: op({ action: 'update', prev: otherCid }) },
    { name: 'with an unknown action', reason: 'bad-op', change: op({ action: 'move' }) },
    { name: 'with a path that is none', reason: 'bad-op', change: op({ path: 'post' }) },
    { name: 'with a collection that is none', reason: 'bad-op', change: op({ path: 'post/3k10' }) },
    { name: 'with a record key that is none', reason: 'bad-op', change: op({ path: 'app.bsky.feed.post/..' }) },
    { name: 'with one path twice', reason: 'bad-op', change: (b) => ({ ...b, ops: [...b.ops, ...b.ops] }) },
    { name: 'that leaves out an operation', reason: 'bad-commit', change: (b) => ({ ...b, ops: b.ops.slice(1) }) },
    {
      name: 'of more than 200 operations',
      reason: 'too-many-ops',
      change: (b) => ({
        ...b,
        ops: Array.from({ length: 201 }, (_, n) => ({ action: 'delete', path: path(n), cid: null })),
      }),
    },
    {
      name: 'of more than 2,000,000 bytes',
      reason: 'too-large',
      change: (b) => ({ ...b, blocks: Buffer.alloc(2_000_001) }),
    },
    {
      name: 'with a block that has another hash',
      reason: 'bad-car',
      change: (b) => withBlocks(b, (blocks) => blocks.set(otherCid, Buffer.from('forged'))),
    },
  ]
  test.each(invalid)('$name is invalid, and its account is marked (I18, I19, G4)', async ({ reason, change }) => {
    const body = await change(await (await repoWith()).commit(create(10)))
    const result = convert(commitFrame(body))
    expect(result).toMatchObject({ events: [], outcome: 'invalid', reason, rejected: [] })
    expect(result.dirty).toMatchObject([{ did: body.repo, reason, host }])
  })

  const discontinuous: { name: string; reason: string; change: Change }[] = [
    { name: 'too big', reason: 'too-big', change: (b) => ({ ...b, tooBig: true, blocks: Buffer.alloc(0), ops: [] }) },
    { name: 'a rebase', reason: 'rebase', change: (b) => ({ ...b, rebase: true }) },
    { name: 'without blocks', reason: 'missing-blocks', change: (b) => ({ ...b, blocks: Buffer.alloc(0) }) },
    {
      name: 'without the record it creates',
      reason: 'missing-blocks',
      change: (b) => withBlocks(b, (blocks) => blocks.delete(b.ops[0]?.cid as never)),
    },
    {
      name: 'without the signed commit',
      reason: 'missing-blocks',
      change: (b) => withBlocks(b, (blocks) => blocks.delete(b.commit)),
    },
    {
      name: 'without the nodes that prove it',
      reason: 'missing-blocks',
      change: (b) =>
        withBlocks(b, (blocks) => {
          for (const cid of blocks.cids())
            if (!cid.equals(b.commit) && !cid.equals(b.ops[0]?.cid as never)) blocks.delete(cid)
        }),
    },
  ]
  test.each(discontinuous)(
    'that is $name is no "nothing changed": its account is marked (I18)',
    async ({ reason, change }) => {
      const body = await change(await (await repoWith()).commit(create(10)))
      const result = convert(commitFrame(body))
      expect(result).toMatchObject({ events: [], outcome: 'discontinuous', reason })
      expect(result.dirty).toEqual([{ did: alice, reason, host, rev: body.rev }])
    },
  )

  test('of a revision more than 5 minutes ahead is not used yet (I18, J13)', async () => {
    const body = await (await repoWith()).commit(create(10))
    const made = Date.now()
    expect(convert(commitFrame(body), { now: made - 4 * 60_000 }).outcome).toBe('appended')
    expect(convert(commitFrame(body), { now: made - 6 * 60_000 })).toMatchObject({
      outcome: 'discontinuous',
      reason: 'future-rev',
      dirty: [{ did: alice, rev: body.rev }],
    })
  })

  test('whose account cannot be read leaves a gap of its host (G4)', async () => {
    const body = await (await repoWith()).commit(create(10))
    expect(convert(commitFrame({ ...body, repo: 'alice' }))).toMatchObject({
      events: [],
      outcome: 'invalid',
      reason: 'bad-did',
      dirty: [],
      gap: true,
    })
  })

  test('of 200 operations passes', async () => {
    const repo = await TestRepo.create()
    const body = await repo.commit(...Array.from({ length: 200 }, (_, n) => create(n)))
    expect(convert(commitFrame(body)).events).toHaveLength(200)
  })

  test('with verification off is used without its proof, but with its records', async () => {
    const body = await (await repoWith()).commit(create(10))
    const forged = { ...body, prevData: otherCid }
    expect(convert(commitFrame(forged)).outcome).toBe('invalid')
    expect(convert(commitFrame(forged), { verify: 'off' }).events).toHaveLength(1)
    const missing = await withBlocks(body, (blocks) => blocks.delete(body.ops[0]?.cid as never))
    expect(convert(commitFrame(missing), { verify: 'off' }).reason).toBe('missing-blocks')
  })
})

describe('a record that JSON cannot carry', () => {
  /** A commit that has one more operation, with such bytes for its record. Its tree knows nothing of it. */
  async function commitWith(bytes: Buffer, action: 'create' | 'update' = 'create', alone = false): Promise<Buffer> {
    const body = await (await repoWith()).commit(create(10))
    const cid = await cidForCbor(bytes)
    const changed = await withBlocks(body, (blocks) => blocks.set(cid, bytes))
    const ops = [...(alone ? [] : changed.ops), { action, path: path(20), cid }]
    return commitFrame({ ...changed, ops })
  }
  const record = (value: string) => Buffer.concat([Buffer.from([0xa1, 0x61, 0x61]), Buffer.from(value, 'hex')])

  test.each([
    { name: 'a fraction (J2)', bytes: record('fb3ff8000000000000'), reason: 'bad-number' },
    { name: 'an integer beyond 2^53 - 1 (J2)', bytes: record('1bffffffffffffffff'), reason: 'bad-number' },
    { name: 'text that is not UTF-8 (J5)', bytes: record('62c328'), reason: 'bad-utf8' },
    { name: 'more than 64 levels (J8)', bytes: record(`${'81'.repeat(100)}80`), reason: 'too-deep' },
    { name: 'no map', bytes: Buffer.from('80', 'hex'), reason: 'unrepresentable-record' },
    { name: 'more than 1,000,000 bytes', bytes: Buffer.alloc(1_000_001), reason: 'too-large' },
  ])('$name: goes to the dead letters, the other operations stay (G1)', async ({ bytes, reason }) => {
    const result = convert(await commitWith(bytes), { verify: 'off' })
    const deletion = { type: 'delete', rkey: '3k20', op: 1, ops: 2 }
    expect(result.events).toMatchObject([{ type: 'create', rkey: '3k10', op: 0, ops: 2 }, deletion])
    expect(result.outcome).toBe('appended')
    expect(result.rejected).toMatchObject([{ reason, did: alice, uri: `at://${alice}/${path(20)}` }])
    expect(Buffer.from(result.rejected[0]?.payload ?? '', 'base64')).toEqual(bytes.subarray(0, 48 * 1024))
    expect(result.dirty).toEqual([])
  })

  test('takes the version before with it (X9), and completes its commit (I16)', async () => {
    const result = convert(await commitWith(record('f97e00'), 'update', true), { verify: 'off' })
    expect(result.events).toMatchObject([{ type: 'delete', did: alice, rkey: '3k20', op: 0, ops: 1 }])
    expect(result.rejected).toHaveLength(1)
  })

  test('keeps a __proto__ key as data (J4)', async () => {
    const bytes = Buffer.concat([Buffer.from('a169', 'hex'), Buffer.from('__proto__'), Buffer.from('a16161f5', 'hex')])
    const { events } = convert(await commitWith(bytes), { verify: 'off' })
    expect(JSON.stringify((events[1] as { record?: unknown }).record)).toBe('{"__proto__":{"a":true}}')
  })
})

describe('a #sync', () => {
  test('becomes a repo event that says so (I21)', async () => {
    const repo = await repoWith()
    const body = await repo.sync()
    const [event, ...more] = convert(encodeFrame({ op: 1, t: '#sync' }, body)).events
    expect(more).toEqual([])
    const { root } = await readCarWithRoot(body.blocks)
    expect(event).toEqual({
      type: 'repo',
      sync: true,
      seq: body.seq,
      time: now,
      did: alice,
      rev: body.rev,
      commit: root.toString(),
      data: repo.data,
      host,
    })
  })

  test.each([
    { name: 'of another account', change: { did: `${alice}b` }, reason: 'bad-commit' },
    { name: 'of another revision', change: { rev: '3zzzzzzzzzzz2' }, reason: 'bad-commit' },
    { name: 'without blocks', change: { blocks: null }, reason: 'bad-field' },
    { name: 'of more than 10,000 bytes', change: { blocks: Buffer.alloc(10_001) }, reason: 'too-large' },
  ])('$name is invalid', async ({ change, reason }) => {
    const body = { ...(await (await repoWith()).sync()), ...change }
    const result = convert(encodeFrame({ op: 1, t: '#sync' }, body))
    expect(result).toMatchObject({ events: [], outcome: 'invalid', reason, dirty: [{ did: body.did }] })
  })
})

describe('other messages', () => {
  const account = { type: 'account', seq: 5, time: now, did: alice, host }
  const identity = { type: 'identity', seq: 5, time: now, did: alice, host }
  const cases: { name: string; frame: Buffer; events: object[] }[] = [
    { name: 'an active account', frame: accountFrame(5), events: [{ ...account, active: true }] },
    {
      name: 'an account with a status that nobody knows (I22)',
      frame: accountFrame(5, { active: false, status: 'frozen' }),
      events: [{ ...account, active: false, status: 'frozen' }],
    },
    {
      name: 'an account whose status is no text (I22)',
      frame: accountFrame(5, { active: false, status: null }),
      events: [{ ...account, active: false }],
    },
    { name: 'an identity', frame: identityFrame(5), events: [identity] },
    {
      name: 'an identity with a handle',
      frame: identityFrame(5, { handle: 'a.test' }),
      events: [{ ...identity, handle: 'a.test' }],
    },
    { name: 'an #info', frame: infoFrame('OutdatedCursor'), events: [] },
    { name: 'a message of another endpoint', frame: encodeFrame({ op: 1, t: '#labels' }, { seq: 1 }), events: [] },
    { name: 'an unknown message', frame: encodeFrame({ op: 1, t: '#handle' }, { seq: 1 }), events: [] },
  ]
  test.each(cases)('$name', ({ frame, events }) => {
    const result = convert(frame)
    expect(result.events).toEqual(events as StreamEvent[])
    for (const event of result.events) readStreamEvent(JSON.parse(JSON.stringify(event)))
  })

  test.each([
    { name: 'an account that is neither active nor not', frame: accountFrame(5, { active: 'yes' }) },
    { name: 'an identity without a time', frame: identityFrame(5, { time: null }) },
  ])('$name is invalid, and marked', ({ frame }) =>
    expect(convert(frame)).toMatchObject({ events: [], outcome: 'invalid', dirty: [{ did: alice }] }),
  )
})
