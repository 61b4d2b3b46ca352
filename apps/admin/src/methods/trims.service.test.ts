import { groups, streamEventCodec, streams, type StreamStore } from '@millrace/stream-protocol'
import { serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { openAdmin } from './open-admin.testing.ts'

const stream = streams.firehoseLive
const group = groups.firehose
const account = (did: string) =>
  ({ type: 'account', seq: 1, time: '2026-01-01T00:00:00.000Z', did, active: true }) as const

async function append(store: StreamStore, ...dids: string[]): Promise<void> {
  await store.writer({ stream, codec: streamEventCodec }).append(dids.map(account))
}

serviceTest(
  'nothing that a group has not acked is dropped unless somebody says so (S1)',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, store } = admin
    await expect(client.call('planTrim', { stream, to: 'end' })).rejects.toMatchObject({ error: 'NotFound' })
    await store.ensureGroup(stream, group)
    expect(await client.call('planTrim', { stream, to: 'end' })).toMatchObject({ groups: [{ name: group, loses: 0 }] })
    await append(store, 'did:plc:a', 'did:plc:b', 'did:plc:c')
    const [first, second] = (await client.call('listEntries', { stream })).entries
    const to = second!.id
    const plan = await client.call('planTrim', { stream, to })
    expect(plan).toMatchObject({ to, groups: [{ name: group, loses: 2, isActive: false }] })
    await expect(client.call('planTrim', { stream, to: 'soon' })).rejects.toMatchObject({ error: 'InvalidRequest' })
    await expect(client.call('planTrim', { stream, group: 'other', to })).rejects.toMatchObject({ error: 'NotFound' })

    const { hash } = plan
    await expect(client.call('applyTrim', { stream, to, hash })).rejects.toMatchObject({ error: 'NotConfirmed' })
    const wanted = { stream, to, acceptLoss: true }
    await expect(client.call('applyTrim', { ...wanted, hash: 'x' })).rejects.toMatchObject({ error: 'PlanStale' })
    expect((await client.call('listEntries', { stream })).entries).toHaveLength(3)

    // What comes meanwhile stays, and is not in the plan.
    await append(store, 'did:plc:d')
    const done = await client.call('applyTrim', { ...wanted, hash })
    expect(done).toMatchObject({ change: { changed: 2 }, isOver: true })
    const left = (await client.call('listEntries', { stream })).entries
    expect(left.map(({ fields }) => /did:plc:[a-d]/.exec(fields)![0])).toEqual(['did:plc:c', 'did:plc:d'])
    // It can be put back, and the hosts are compared in any case.
    const { letters } = await client.call('exportDeadLetters', { reasonCode: 'skipped' })
    expect(letters.map(({ letter, payload }) => [letter.entryId, JSON.parse(payload) as unknown])).toEqual([
      [second!.id, account('did:plc:b')],
      [first!.id, account('did:plc:a')],
    ])
    expect((await client.call('listGaps', {})).gaps).toMatchObject([{ host: '', stream, reason: 'skipped' }])
    const retried = await client.call('retryDeadLetters', { stream, reasonCode: 'skipped' })
    expect(retried).toMatchObject({ change: { changed: 2 }, refused: [] })
  },
)

serviceTest(
  'a group that somebody reads is left alone, and one that was left is taken out of its hands (S6)',
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { client, store } = admin
    await store.ensureGroup(stream, group)
    await store.ensureGroup(stream, 'another')
    await append(store, 'did:plc:a', 'did:plc:b')
    const stop = new AbortController()
    const reader = store.consumer({ stream, group, consumer: 'one', codec: streamEventCodec, batchSize: 1 })
    for await (const batch of reader.batches(stop.signal)) if (batch.entries.length > 0) stop.abort()
    const plan = await client.call('planTrim', { stream, group, to: 'end' })
    expect(plan.groups).toEqual([{ name: group, loses: 2, isActive: true }])
    const refused = client.call('applyTrim', { stream, group, to: plan.to!, hash: plan.hash, acceptLoss: true })
    await expect(refused).rejects.toMatchObject({ error: 'GroupActive' })

    const other = await client.call('planTrim', { stream, group: 'another', to: 'end' })
    const skipped = { stream, group: 'another', to: other.to!, hash: other.hash, acceptLoss: true }
    expect((await client.call('applyTrim', skipped)).change.changed).toBe(2)
    // What the first group has not acked is still there for it.
    expect((await client.call('listEntries', { stream })).entries).toHaveLength(2)
    const status = await client.call('getStatus', {})
    const counts = status.streams
      .find(({ name }) => name === stream)!
      .groups.map(({ name, pending, undelivered }) => [name, pending + (undelivered ?? 0)])
    expect(Object.fromEntries(counts)).toEqual({ [group]: 2, another: 0 })
  },
)
