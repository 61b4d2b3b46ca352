import type { AdminMethod, Change } from '@millrace/admin-api'
import { readAdminLexicons } from '@millrace/admin-api/documents'
import { AlarmStore, BackfillQueue, Pauses, PostgresLedger } from '@millrace/database'
import { RepairStore } from '@millrace/repair'
import { cursorKey, groups, streamEventCodec, streams } from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { expect, test } from 'vitest'
import { openAdmin } from './open-admin.testing.ts'

type Admin = Awaited<ReturnType<typeof openAdmin>>

interface Case {
  /** What there is to change. */
  before?: (admin: Admin) => Promise<unknown>
  input: (admin: Admin) => object
  /** What it takes beside to be done, and not only planned. */
  confirm?: (admin: Admin) => object | Promise<object>
  /** Its beginning; none for what nothing takes back. */
  undo?: string
}

const stream = streams.firehoseLive
const did = 'did:plc:abc'
const account = { type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did, active: true } as const

async function keepLetter({ database }: Admin): Promise<void> {
  const payload = JSON.stringify(account)
  await new PostgresLedger({ database }).deadLetter([
    { stream, entryId: '1-0', reason: 'failed', error: 'no', did, payload },
  ])
}

const cases: Readonly<Partial<Record<AdminMethod, Case>>> = {
  setCursor: {
    before: ({ store, host }) => store.cursors.set(cursorKey(stream, host), '3'),
    input: ({ host }) => ({ stream, host, to: '5' }),
    confirm: ({ host }) => ({ confirm: host }),
    undo: 'millrace cursor set',
  },
  resyncRepos: { input: () => ({ dids: [did] }) },
  startRepair: { input: ({ host }) => ({ host }), undo: 'millrace repair cancel 1' },
  controlRepair: {
    before: ({ database, host }) => new RepairStore(database).plan({ host, reason: 'asked' }),
    input: () => ({ id: 1, action: 'pause' }),
    undo: 'millrace repair resume 1',
  },
  retryDeadLetters: { before: keepLetter, input: () => ({ ids: [1] }) },
  discardDeadLetters: { before: keepLetter, input: () => ({ ids: [1] }), undo: 'millrace dlq retry 1' },
  editDeadLetter: { before: keepLetter, input: () => ({ id: 1, payload: JSON.stringify({ ...account, seq: 2 }) }) },
  recount: {
    before: ({ database }) =>
      database.pool.query(
        `insert into profile_agg (did, "followersCount") values ($1, 7) on conflict (did) do update set "followersCount" = 7`,
        [did],
      ),
    input: () => ({ subjects: [did] }),
  },
  controlBackfill: { input: () => ({ action: 'pause' }), undo: 'millrace backfill resume' },
  addRepos: { input: () => ({ dids: [did] }) },
  retryFailed: {
    before: ({ database }) => new PostgresLedger({ database }).markDirty([{ did, reason: 'invalid-repo' }]),
    input: () => ({}),
  },
  applyTrim: {
    before: async ({ store }) => {
      await store.ensureGroup(stream, groups.firehose)
      await store.writer({ stream, codec: streamEventCodec }).append([account])
    },
    input: () => ({ stream, to: 'end' }),
    confirm: async ({ client }) => ({
      hash: (await client.call('planTrim', { stream, to: 'end' })).hash,
      acceptLoss: true,
    }),
    undo: 'millrace dlq retry --stream firehose_live --reason skipped',
  },
  silenceAlert: { input: () => ({ code: 'lag', seconds: 3_600 }), undo: 'millrace alerts unsilence lag' },
  unsilenceAlert: {
    before: ({ database }) =>
      new AlarmStore(database).silence({
        code: 'lag',
        subject: null,
        reason: 'a test',
        who: 'me',
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    input: () => ({ code: 'lag' }),
    undo: 'millrace alerts silence lag',
  },
  pause: { input: () => ({ target: 'indexer', forSeconds: 3_600 }), undo: 'millrace resume indexer --kind role' },
  resume: {
    before: ({ database }) =>
      new Pauses(database).set({ kind: 'role', name: 'indexer', reason: 'a test', who: 'me', forMs: null }),
    input: () => ({ target: 'indexer' }),
    undo: "millrace pause indexer --kind role --reason 'a test'",
  },
}

/** Everything that is kept, but the notes of who changed it. */
async function everything({ database, store, host }: Admin): Promise<unknown> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = $1 and tablename <> 'millrace_audit'`,
    [database.schema],
  )
  const kept = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await database.pool.query(`select t::text as row from "${name}" t order by 1`)
      return [name, rows]
    }),
  )
  // How long consumers were silent changes by itself.
  const statuses = (await store.status(Object.values(streams))).map((status) => ({
    ...status,
    groups: status.groups.map(({ consumers, ...group }) => ({
      ...group,
      consumers: consumers.map(({ name }) => name),
    })),
  }))
  return [kept, statuses, await store.cursors.get(cursorKey(stream, host))]
}

test('every change has a case here', () => {
  const changes = readAdminLexicons().flatMap(({ id, defs }) =>
    // Who asks for another test gets one.
    defs['main']?.type === 'procedure' && !id.endsWith('.sendTestAlert') ? [id.slice(id.lastIndexOf('.') + 1)] : [],
  )
  expect(Object.keys(cases).toSorted()).toEqual(changes.toSorted())
})

serviceTest(
  'a change that is tried out changes nothing; made, it is noted with what takes it back; made again, it is none (M4)',
  { timeout: 120_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const tables = `select string_agg(format('%I', tablename), ', ') as names from pg_tables
      where schemaname = $1 and tablename like 'millrace%' and tablename not in ('millrace_migration', 'millrace_upstream')`
    const { rows } = await admin.database.pool.query<{ names: string }>(tables, [admin.database.schema])
    for (const [name, { before, input, confirm, undo }] of Object.entries(cases) as [AdminMethod, Case][]) {
      // Each begins with what it says alone.
      await admin.database.pool.query(`truncate ${rows[0]!.names} restart identity`)
      await before?.(admin)
      const call = async (more: object) =>
        (await admin.client.call(name, { ...input(admin), reason: 'a test', ...more } as never)) as { change: Change }
      const untouched = await everything(admin)
      expect((await call({ dryRun: true })).change, name).toMatchObject({ changed: 1, dryRun: true })
      expect(await everything(admin), name).toEqual(untouched)
      expect((await admin.client.call('listAudit', {})).entries, name).toEqual([])

      const { change } = await call({ ...(await confirm?.(admin)) })
      expect(change, name).toMatchObject({ changed: 1, dryRun: false, auditId: 1 })
      expect(change.undo ?? '', name).toMatch(undo === undefined ? /^$/ : new RegExp(`^${undo}`))
      const { entries } = await admin.client.call('listAudit', {})
      expect(entries, name).toMatchObject([{ who: 'admin from 127.0.0.1', method: name, reason: 'a test' }])

      const again = await call({ ...(await confirm?.(admin)) })
      expect(again.change, name).toMatchObject({ changed: 0, dryRun: false })
      expect((await admin.client.call('listAudit', {})).entries, name).toHaveLength(1)
    }
    expect(await new BackfillQueue(admin.database).isPaused()).toBe(false)
  },
)

serviceTest(
  'what is paused shows everywhere, and only what is there can be paused',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, database, network } = admin
    const reason = 'a test'
    for (const target of ['nobody', 'app.bsky.feed.lik', 'relay.elsewhere.test'])
      await expect(client.call('pause', { target, reason })).rejects.toMatchObject({ error: 'UnknownTarget' })
    await expect(client.call('resume', { target: 'nobody' })).rejects.toMatchObject({ error: 'UnknownTarget' })
    for (const target of ['indexer', 'label_group', 'app.bsky.feed.like', network.relayUrl])
      expect((await client.call('pause', { target, reason })).change.changed, target).toBe(1)
    await client.call('pause', { target: 'relay.elsewhere.test', kind: 'host', reason, forSeconds: 60 })
    const { pauses } = await client.call('listPauses', {})
    expect(pauses.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'collection app.bsky.feed.like',
      'group label_group',
      `host ${admin.host}`,
      'host relay.elsewhere.test',
      'role indexer',
    ])
    await admin.store.ensureGroup(stream, 'firehose_group')
    const status = await client.call('getStatus', {})
    expect(status.pauses).toHaveLength(5)
    expect(status.streams.find(({ name }) => name === stream)?.groups).toMatchObject([{ verdict: 'paused' }])
    expect(status.problems).toEqual([])
    expect((await client.call('getHost', { host: admin.host })).host.state).toBe('paused')

    // One that was forgotten, and one that nobody ends.
    await database.pool.query(
      `update millrace_pause set since = now() - interval '2 days', until = until - interval '1 hour'`,
    )
    const { problems } = await client.call('getStatus', {})
    expect(problems.map(({ code, subject }) => `${code} ${subject}`)).toEqual(
      expect.arrayContaining(['pause-forgotten role indexer', 'pause-over host relay.elsewhere.test']),
    )
    const { checks } = await client.call('getDoctorReport', {})
    const found = checks.filter(({ id }) => id === 'pauses').map(({ command }) => command)
    expect(found).toContain('millrace resume indexer --kind role')
    expect(found).toContain('millrace consumers')
  },
)
