import { AdminAwayError, AdminClient, type AdminError } from '@millrace/admin-api'
import { readAdminLexicons } from '@millrace/admin-api/documents'
import { PostgresLedger, readCheckpoint, registerUpstreams } from '@millrace/database'
import { createEvent } from '@millrace/indexing/testing'
import {
  cursorKey,
  groups,
  labelEventCodec,
  streamEventCodec,
  streams,
  type LabelEvent,
} from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { LocalApi } from '../local-api.ts'
import { methods } from './index.ts'
import { openAdmin } from './open-admin.testing.ts'

const stream = streams.firehoseLive
const account = { type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did: 'did:plc:abc', active: true } as const

const refused = (error: string) => expect.objectContaining({ name: 'AdminError', error }) as AdminError

test('every lexicon has its method, and every method its lexicon; who only looks changes nothing', () => {
  const roles = readAdminLexicons().flatMap(({ id, defs }) =>
    defs['main'] ? [[id, defs['main'].type === 'query' ? 'viewer' : 'operator'] as const] : [],
  )
  expect(new Map(methods.map(({ name, role }) => [`dev.millrace.admin.${name}`, role]))).toEqual(new Map(roles))
})

serviceTest('every query answers as its lexicon says, on an empty pipeline', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, network } = admin
  expect((await client.call('getStatus', {})).status).toBe('ok')
  expect((await client.call('getDoctorReport', {})).checks.length).toBeGreaterThan(20)
  const traced = await client.call('traceSubject', { subject: network.account(0).handle })
  expect(traced).toMatchObject({ did: network.account(0).did, verdict: { code: 'missing', level: 'act' } })
  expect((await client.call('getLag', {})).hosts).toMatchObject([{ host: admin.host, stream, position: 'none' }])
  expect((await client.call('getFreshness', { bucket: 'day' })).series).toHaveLength(3)
  expect(await client.call('listPending', { stream, group: groups.firehose })).toEqual({ entries: [] })
  expect(await client.call('listEntries', { stream })).toEqual({ entries: [] })
  for (const state of ['dirty', 'running', 'broken', 'hidden', 'all'])
    expect(await client.call('listRepos', { state })).toEqual({ repos: [] })
  expect((await client.call('listCursors', {})).cursors).toMatchObject([{ host: admin.host, isDone: false }])
  expect(await client.call('listGaps', {})).toEqual({ gaps: [] })
  expect(await client.call('listPauses', {})).toEqual({ pauses: [] })
  expect(await client.call('listHosts', {})).toEqual({
    hosts: [{ host: admin.host, streams: [stream], state: 'ok', failures: 0, failedRepos: 0 }],
  })
  expect(await client.call('getHost', { host: network.relayUrl })).toMatchObject({ cursors: [{ stream }], openGaps: 0 })
  await expect(client.call('getHost', { host: 'other.test' })).rejects.toEqual(refused('NotFound'))
  expect(await client.call('getBackfill', {})).toMatchObject({ state: 'idle', isListing: true, failed: 0 })
  expect(await client.call('listRepairs', {})).toEqual({ repairs: [] })
  expect(await client.call('getDeadLetterGroups', {})).toEqual({ groups: [] })
  expect(await client.call('listDeadLetters', {})).toEqual({ letters: [] })
  expect(await client.call('listAudit', {})).toEqual({ entries: [] })
  await expect(client.call('getDeadLetter', { id: 1 })).rejects.toEqual(refused('NotFound'))
  await expect(client.call('traceSubject', { subject: 'nobody' })).rejects.toEqual(refused('UnknownSubject'))
  await expect(client.call('listRepos', { limit: 10_000 })).rejects.toEqual(refused('InvalidRequest'))
})

serviceTest(
  'entries can be looked through a page at a time, and are given to nobody',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, store } = admin
    await store.ensureGroup(stream, groups.firehose)
    const events = ['did:plc:abc', 'did:plc:def', 'did:plc:abc'].map((did) => ({ ...account, did }))
    await store.writer({ stream, codec: streamEventCodec }).append(events)
    const first = await client.call('listEntries', { stream, limit: 2 })
    expect(first.entries).toHaveLength(2)
    expect(JSON.parse(first.entries[0]!.fields)).toEqual({ event: JSON.stringify(events[0]) })
    const second = await client.call('listEntries', { stream, limit: 2, cursor: first.cursor })
    expect(second.entries).toHaveLength(1)
    expect(second.cursor).toBeUndefined()
    expect((await client.call('listEntries', { stream, did: 'did:plc:def' })).entries).toHaveLength(1)
    await expect(client.call('listEntries', { stream: 'firehose_lvie' })).rejects.toMatchObject({
      error: 'NotFound',
      message: expect.stringMatching(/^there is no stream firehose_lvie; there are .*firehose_live/),
    })
    await expect(client.call('listPending', { stream, group: 'firehose' })).rejects.toMatchObject({
      error: 'NotFound',
      message: `${stream} has no group firehose; it has ${groups.firehose}`,
    })
    await expect(client.call('listEntries', { stream, cursor: 'x' })).rejects.toEqual(refused('InvalidRequest'))
    // None of these is about a record.
    expect(await client.call('listEntries', { stream, collection: 'app.bsky.feed.like' })).toEqual({ entries: [] })

    const stop = new AbortController()
    const source = store.consumer({ stream, group: groups.firehose, consumer: 'one', codec: streamEventCodec })
    for await (const batch of source.batches(stop.signal)) if (batch.entries.length > 0) stop.abort()
    const pending = await client.call('listPending', { stream, group: groups.firehose, limit: 2 })
    expect(pending.entries).toMatchObject([
      { consumer: 'one', deliveries: 1, event: 'account did:plc:abc' },
      { consumer: 'one', event: 'account did:plc:def' },
    ])
    const rest = await client.call('listPending', { stream, group: groups.firehose, cursor: pending.cursor })
    expect(rest.entries).toHaveLength(1)
    const idle = { stream, group: groups.firehose, minIdleSeconds: 60 }
    expect((await client.call('listPending', idle)).entries).toEqual([])
  },
)

serviceTest(
  'entries of an account are those that it wrote, and labels on it, not what others write about it',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, store } = admin
    const of = async (stream: string) =>
      (await client.call('listEntries', { stream, did: 'did:plc:abc' })).entries.map(({ event }) => event)
    const follow = createEvent({
      did: 'did:plc:def',
      record: { $type: 'app.bsky.graph.follow', subject: 'did:plc:abc', createdAt: '2026-01-01T00:00:00Z' },
    })
    await store.writer({ stream, codec: streamEventCodec }).append([follow, account])
    expect(await of(stream)).toEqual(['account did:plc:abc'])

    const label = (uri: string): LabelEvent => ({
      type: 'label',
      label: { src: 'did:plc:labeler', uri, val: 'rude', cts: '2026-01-01T00:00:00Z' },
    })
    const uris = ['did:plc:abc', 'at://did:plc:abc/app.bsky.feed.post/1', 'did:plc:abcd']
    await store.writer({ stream: streams.labelLive, codec: labelEventCodec }).append(uris.map(label))
    expect(await of(streams.labelLive)).toEqual(uris.slice(0, 2).map((uri) => `label rude ${uri}`))
  },
)

serviceTest(
  'a cursor is set by who says what is skipped; that is a gap, and the note says how to go back (M4)',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, store, host, network, database } = admin
    const key = cursorKey(stream, host)
    await store.cursors.set(key, '3')
    await registerUpstreams(database, [{ host, stream, url: network.relayUrl }])
    await database.pool.query('update millrace_upstream set checkpoint = 3')
    const to = { stream, host, to: '5', reason: 'a test' }
    expect((await client.call('setCursor', { ...to, dryRun: true })).change).toMatchObject({ changed: 1, dryRun: true })
    await expect(client.call('setCursor', to)).rejects.toEqual(refused('NotConfirmed'))
    await expect(client.call('setCursor', { ...to, confirm: host, expect: '9' })).rejects.toEqual(
      refused('CursorMoved'),
    )
    await expect(client.call('setCursor', { ...to, host: 'other.test' })).rejects.toEqual(refused('UnknownHost'))
    expect([await store.cursors.get(key), (await client.call('listGaps', {})).gaps]).toEqual(['3', []])

    const set = await client.call('setCursor', { ...to, confirm: host })
    expect(set).toMatchObject({
      before: '3',
      after: '5',
      change: { changed: 1, undo: expect.stringContaining('--to 3') },
    })
    expect(await store.cursors.get(key)).toBe('5')
    expect((await client.call('listGaps', {})).gaps).toMatchObject([
      { host, reason: 'cursor-set', fromSeq: '3', toSeq: '5' },
    ])
    expect((await client.call('setCursor', { ...to, confirm: host })).change).toMatchObject({ changed: 0 })
    // Going back skips nothing, and needs no word for it.
    expect((await client.call('setCursor', { stream, host, to: 'oldest' })).after).toBe('0')
    // A host that counts anew never comes to where it was (I7).
    expect(await readCheckpoint(database, host, stream)).toBe('0')
    const stop = new AbortController()
    const writing = network.run(stop.signal)
    const live = await client.call('setCursor', { stream, host, to: 'live', confirm: host }).finally(() => stop.abort())
    await writing
    expect(Number(live.after)).toBeGreaterThan(5)
    const { entries } = await client.call('listAudit', { method: 'setCursor' })
    expect(entries.at(-1)).toMatchObject({
      who: 'admin from 127.0.0.1',
      target: `${stream} ${host}`,
      reason: 'a test',
      before: '"3"',
      after: '"5"',
      undo: `millrace cursor set ${host} --stream ${stream} --to 3 --yes`,
    })
  },
)

serviceTest('letters, repairs and accounts are changed once, and noted', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, database, host } = admin
  const letter = { stream, reason: 'failed', error: 'no', did: account.did }
  await new PostgresLedger({ database }).deadLetter([
    { ...letter, entryId: '1-0', payload: JSON.stringify(account) },
    { ...letter, entryId: '2-0', payload: '{' },
    { ...letter, entryId: '3-0', payload: '{' },
  ])
  await expect(client.call('retryDeadLetters', {})).rejects.toEqual(refused('InvalidRequest'))
  const plan = await client.call('retryDeadLetters', { reasonCode: 'failed', dryRun: true })
  expect(plan).toMatchObject({ change: { changed: 1, dryRun: true }, refused: [{ id: 2 }, { id: 3 }] })
  expect((await client.call('retryDeadLetters', { reasonCode: 'failed' })).change.changed).toBe(1)
  expect((await client.call('retryDeadLetters', { reasonCode: 'failed' })).change).toMatchObject({ changed: 0 })
  const all = await client.call('discardDeadLetters', { reasonCode: 'failed', dryRun: true })
  expect(all.change.changed).toBe(2)
  await expect(client.call('discardDeadLetters', { reasonCode: 'failed' })).rejects.toEqual(refused('NotConfirmed'))
  const discarded = await client.call('discardDeadLetters', { reasonCode: 'failed', confirm: '2' })
  expect(discarded.change.changed).toBe(2)
  expect((await client.call('getDeadLetter', { id: 2 })).letter.state).toBe('discarded')
  const page = await client.call('listDeadLetters', { state: 'discarded', limit: 1 })
  expect(page.letters.map(({ id }) => id)).toEqual([3])
  const next = await client.call('listDeadLetters', { state: 'discarded', limit: 1, cursor: page.cursor })
  expect(next.letters.map(({ id }) => id)).toEqual([2])

  const started = await client.call('startRepair', { host })
  expect(started).toMatchObject({ repair: 1, change: { changed: 1, undo: 'millrace repair cancel 1' } })
  expect((await client.call('startRepair', { host })).change.changed).toBe(0)
  await expect(client.call('startRepair', { host: 'other.test' })).rejects.toEqual(refused('UnknownHost'))
  expect((await client.call('controlRepair', { id: 1, action: 'pause' })).change.changed).toBe(1)
  expect((await client.call('controlRepair', { id: 1, action: 'pause' })).change.changed).toBe(0)
  expect((await client.call('listRepairs', {})).repairs).toMatchObject([{ id: 1, isPaused: true }])
  expect((await client.call('controlRepair', { id: 1, action: 'cancel' })).change.changed).toBe(1)
  await expect(client.call('controlRepair', { id: 2, action: 'cancel' })).rejects.toEqual(refused('NotFound'))

  await client.call('resyncRepos', { dids: ['did:plc:abc', 'did:plc:def'], reason: 'a test' })
  const repos = await client.call('listRepos', { limit: 1 })
  expect(repos.repos).toMatchObject([{ did: 'did:plc:abc', state: 'dirty', reason: 'asked' }])
  expect((await client.call('listRepos', { cursor: repos.cursor })).repos).toMatchObject([{ did: 'did:plc:def' }])
  expect((await client.call('listAudit', {})).entries.map(({ method }) => method)).toEqual([
    'resyncRepos',
    'controlRepair',
    'controlRepair',
    'startRepair',
    'discardDeadLetters',
    'retryDeadLetters',
  ])
})

serviceTest(
  'without a server the same methods answer the same, and check the same',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const local = new LocalApi(admin.sources, { who: 'a test', role: 'operator' })
    expect(await local.call('listRepos', { state: undefined })).toEqual(await admin.client.call('listRepos', {}))
    await expect(local.call('listRepos', { limit: 10_000 })).rejects.toEqual(refused('InvalidRequest'))
    await expect(local.call('resyncRepos', { dids: ['x'] })).rejects.toEqual(refused('InvalidRequest'))
    const away = { kind: 'postgres', location: 'nowhere', why: 'it is away' } as const
    const blind = new LocalApi({ ...admin.sources, database: away }, { who: 'a test', role: 'operator' })
    await expect(blind.call('listGaps', {})).rejects.toEqual(refused('Unavailable'))
    expect((await blind.call('getDoctorReport', {})).verdict).toBe('fail')
    expect((await blind.call('getStatus', {})).status).toBe('failing')
  },
)

serviceTest(
  'holes of a table show, and no bucket is counted beyond its bound (M7)',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, database } = admin
    // Thirty posts in each of the last ten hours, but for two of them.
    await database.pool.query(
      `insert into post (uri, cid, creator, text, "createdAt", "indexedAt")
     select 'at://' || h || '/' || n, 'c', 'd', '', t, t from generate_series(0, 9) h, generate_series(1, 30) n,
       to_char(date_trunc('hour', now() at time zone 'utc') - make_interval(hours => h), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') t
     where h not in (4, 5)`,
    )
    const since = new Date(Math.floor(Date.now() / 3_600_000 - 9) * 3_600_000).toISOString()
    const { series, bound } = await client.call('getFreshness', { since })
    const posts = series.find(({ collection }) => collection === 'app.bsky.feed.post')!
    expect(posts.buckets.filter(({ isHole }) => isHole)).toHaveLength(2)
    expect(Math.max(...posts.buckets.map(({ rows }) => rows))).toBeLessThanOrEqual(bound)
    expect(posts.newest).toBe(posts.buckets.at(-1)!.start)
    await expect(client.call('getFreshness', { since: '2020-01-01T00:00:00Z' })).rejects.toEqual(
      refused('InvalidRequest'),
    )
  },
)

test('a server that is not there is told from one that refuses', async () => {
  const client = new AdminClient({ url: 'http://127.0.0.1:1' })
  await expect(client.call('getStatus', {})).rejects.toThrow(AdminAwayError)
})

serviceTest('a repo is told as it is kept, and compared with its PDS', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, database, network } = admin
  const { did } = network.account(0)
  const records = network.records().filter(({ uri }) => uri.startsWith(`at://${did}/`))
  await expect(client.call('getRepo', { did })).rejects.toEqual(refused('NotFound'))
  const before = await client.call('verifyRepo', { did })
  expect(before).toMatchObject({ result: 'moved', missing: records.length, stale: 0, extra: 0 })
  expect(before.here).toBeUndefined()

  const { rev, root } = before.there!
  const keep = `insert into record (uri, cid, did, json, "indexedAt", rev) select uri, cid, $3, '{}', '', $4
    from unnest($1::text[], $2::text[]) as k(uri, cid)`
  await database.pool.query(keep, [records.map(({ uri }) => uri), records.map(({ cid }) => cid), did, rev])
  await database.pool.query('insert into millrace_repo (did, head_rev, head_data) values ($1, $2, $3)', [
    did,
    rev,
    root,
  ])
  expect(await client.call('verifyRepo', { did })).toEqual({
    did,
    result: 'same',
    there: { rev, root },
    here: { rev, root },
    missing: 0,
    stale: 0,
    extra: 0,
    examples: [],
  })
  await database.pool.query(`update record set cid = 'other' where uri = $1`, [records[0]!.uri])
  await database.pool.query('delete from record where uri = $1', [records[1]!.uri])
  expect(await client.call('verifyRepo', { did })).toMatchObject({
    result: 'diverged',
    missing: 1,
    stale: 1,
    examples: [records[1]!.uri, records[0]!.uri],
    command: `millrace resync ${did} --reindex`,
  })

  await client.call('resyncRepos', { dids: [did], reindex: true })
  expect(await client.call('getRepo', { did })).toMatchObject({
    did,
    rev,
    root,
    records: records.length - 1,
    mark: { reason: 'asked', attempts: 0, reindex: true },
    deadLetters: 0,
    runs: [],
  })
  network.faults.getRepo(did, { type: 'corrupt-block' })
  expect(await client.call('verifyRepo', { did })).toMatchObject({ result: 'invalid', detail: expect.any(String) })
  network.faults.getRepo(did, { type: 'error' })
  await expect(client.call('verifyRepo', { did })).rejects.toEqual(refused('HostAway'))
  network.faults.getRepo(did, { type: 'deactivated' })
  expect((await client.call('verifyRepo', { did })).result).toBe('gone')
})

serviceTest('letters can be taken elsewhere, and put right', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, database } = admin
  const letter = { stream, reason: 'failed', error: 'no' }
  await new PostgresLedger({ database }).deadLetter([
    { ...letter, entryId: '1-0', payload: '{' },
    { ...letter, entryId: '2-0', payload: 'x'.repeat(100_000) },
  ])
  const first = await client.call('exportDeadLetters', { limit: 1 })
  expect(first.letters).toMatchObject([{ letter: { id: 2 }, payload: 'x'.repeat(65_536), isCut: true }])
  const second = await client.call('exportDeadLetters', { limit: 1, cursor: first.cursor })
  expect(second.letters).toMatchObject([{ letter: { id: 1, entryId: '1-0' }, payload: '{', isCut: false }])
  expect((await client.call('exportDeadLetters', { did: account.did })).letters).toEqual([])
  expect((await client.call('getDeadLetterGroups', { state: 'replayed' })).groups).toEqual([])

  const edit = (id: number, payload: string) => client.call('editDeadLetter', { id, payload })
  await expect(edit(3, '{}')).rejects.toEqual(refused('NotFound'))
  await expect(edit(1, '{"type":"account"}')).rejects.toEqual(refused('InvalidPayload'))
  expect((await edit(1, JSON.stringify(account))).change.changed).toBe(1)
  expect((await client.call('getDeadLetter', { id: 1 })).letter).toMatchObject({ state: 'retry', did: account.did })
  // What stood there before is in the audit log alone.
  const { entries } = await client.call('listAudit', {})
  expect(JSON.parse(entries[0]!.before!)).toMatchObject({ state: 'kept', payload: '{' })
})

serviceTest('a repair can only compare, and tells what it found', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, host } = admin
  const { repair } = await client.call('startRepair', { host, compareOnly: true })
  expect(await client.call('getRepair', { id: repair! })).toMatchObject({
    repair: { id: repair, host, isDryRun: true, state: 'listing' },
    counts: [],
  })
  await expect(client.call('getRepair', { id: 99 })).rejects.toEqual(refused('NotFound'))
})

serviceTest('counts are made right a part at a time', async ({ redisUrl, databaseUrl }) => {
  await using admin = await openAdmin(redisUrl, databaseUrl)
  const { client, database } = admin
  await database.pool.query(`insert into profile_agg (did, "postsCount") values ('did:plc:a', 3), ('did:plc:b', 0)`)
  const plan = await client.call('recount', { dryRun: true, tables: ['profile_agg'] })
  expect(plan.change).toMatchObject({ changed: 1, dryRun: true })
  expect(plan.columns.find(({ column }) => column === 'postsCount')).toMatchObject({
    checked: 2,
    wrong: 1,
    tooHigh: 3,
    samples: [{ subject: 'did:plc:a', stored: 3, counted: 0 }],
  })
  // Whoever goes on after it does not see it.
  const rest = await client.call('recount', { tables: ['profile_agg'], cursor: 'profile_agg/did:plc:a' })
  expect(rest.change.changed).toBe(0)
  expect((await client.call('recount', {})).change.changed).toBe(1)
  for (const wrong of [{ tables: ['post'] }, { subjects: ['alice'] }, { cursor: 'post/x' }])
    await expect(client.call('recount', wrong)).rejects.toEqual(refused('InvalidRequest'))
})
