import { startSimulatedNetwork } from '@millrace/dev-network'
import { serviceTest } from '@millrace/testing'
import type { Pool } from 'pg'
import { expect } from 'vitest'
import { connectRedis } from './pipeline/connect-redis.ts'
import { FourApps } from './pipeline/four-apps.ts'
import { TestPool } from './pipeline/test-pool.ts'
import { readStatus } from './pipeline/wait-until-indexed.ts'

/** Records that are indexed, of these accounts, with the CIDs that they have. */
async function indexedRecords(pool: Pool, dids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ uri: string; cid: string }>(
    'select uri, cid from bsky.record where did = any ($1)',
    [dids],
  )
  return new Map(rows.map(({ uri, cid }) => [uri, cid]))
}

serviceTest(
  'bad input ends where it should, is shown, and stops nothing else (G1)',
  { timeout: 400_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using network = await startSimulatedNetwork({ accounts: 16, recordsPerAccount: 12, relayWindow: 50 })
    const [gone, closed, busy, broken, cut, forged, corrupt, invalid, big] = network.accounts.map(({ did }) => did) as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    const { faults } = network
    faults.getRepo(gone, { type: 'not-found', status: 404 })
    faults.getRepo(closed, { type: 'deactivated' })
    faults.getRepo(busy, { type: 'throttled', retryAfterSeconds: 1 }, { times: 2 })
    faults.getRepo(broken, { type: 'error', status: 500 }, { times: 1 })
    faults.getRepo(cut, { type: 'cut', afterBytes: 900 }, { times: 1 })
    faults.getRepo(forged, { type: 'other-key' })
    faults.getRepo(corrupt, { type: 'corrupt-block' })

    using redis = await connectRedis(redisUrl)
    await using pool = new TestPool(databaseUrl)
    await using four = await FourApps.start({
      network,
      redisUrl,
      databaseUrl,
      form: 'source',
      // An account whose first event overtakes its repo is left alone for a minute, which is three seconds here.
      env: { BACKFILLER_ATTEMPTS: '1', MILLRACE_HASTE: '20' },
    })
    await expect.poll(() => network.relay.connections, { timeout: 60_000 }).toBe(1)

    // What other services might have left in the streams.
    await redis.xAdd('firehose_live', '*', { event: 'this is no JSON' })
    await redis.xAdd('firehose_live', '*', {
      event: JSON.stringify({ type: 'rumour', did: invalid, time: '2026-01-01T00:00:00Z' }),
    })
    await redis.xAdd('repo_backfill', '*', {
      repo: JSON.stringify({ did: 'nobody', host: network.relayUrl, rev: '3k' }),
    })
    await redis.xAdd('label_live', '*', { event: '{"type":"label","label":{}}' })
    // What hosts might send.
    await network
      .account(invalid)
      .create('app.bsky.feed.post', { $type: 'app.bsky.feed.post', createdAt: '2025-06-01T00:00:00Z' })
    await network.account(big).applyWrites(
      [
        {
          action: 'create',
          collection: 'app.bsky.feed.post',
          record: { $type: 'app.bsky.feed.post', text: 'too much for a frame', createdAt: '2025-06-01T00:00:00Z' },
        },
      ],
      { frame: 'too-big' },
    )
    network.relay.appendMessage('#gossip', { about: 'nothing' })
    network.relay.appendRaw(Buffer.from('this is no frame'))
    const good = await network.account(15).create('app.bsky.feed.post', {
      $type: 'app.bsky.feed.post',
      text: 'after all of that',
      createdAt: '2025-06-01T00:00:00Z',
    })

    const whole = network.accounts
      .map(({ did }) => did)
      .filter((did) => ![gone, closed, forged, corrupt, invalid, big].includes(did))
    const truth = new Map(
      network
        .records()
        .filter(({ uri }) => whole.some((did) => uri.startsWith(`at://${did}/`)))
        .map(({ uri, cid }) => [uri, cid]),
    )
    // There are no tables yet while the apps start.
    const indexed = () => indexedRecords(pool, whole).catch(() => new Map())
    await expect.poll(indexed, { timeout: 90_000, interval: 500 }).toEqual(truth)
    expect(truth.get(good.uri)).toBe(good.cid)

    // Each has its reason, where people look.
    const reasons = async (): Promise<string[]> =>
      (await readStatus(four))?.database?.deadLetters.map(({ reason }) => reason) ?? []
    await expect.poll(reasons, { timeout: 60_000, interval: 500 }).toEqual([
      'bad-block', // a block of a repo is not what its CID says
      'bad-cbor', // no frame
      'bad-did', // a repo to fetch, of nobody
      'bad-json', // an entry
      'bad-signature', // a repo, by a key that is not the account's
      'bad-uri', // a label of nothing
      'invalid-record', // a post without text
      'unknown-type', // an entry
    ])
    const dirty = async (): Promise<string[]> =>
      (await pool.query<{ did: string }>('select did from bsky.millrace_dirty')).rows.map(({ did }) => did)
    await expect.poll(dirty, { timeout: 60_000 }).toEqual(expect.arrayContaining([forged, corrupt]))
    // Its commit could not be sent, and it was fetched instead.
    await expect.poll(dirty, { timeout: 60_000 }).not.toContain(big)
    const hidden = async (): Promise<Record<string, string>> => {
      const { rows } = await pool.query<{ did: string; upstreamStatus: string }>(
        'select did, "upstreamStatus" from bsky.actor where "upstreamStatus" is not null',
      )
      return Object.fromEntries(rows.map(({ did, upstreamStatus }) => [did, upstreamStatus]))
    }
    await expect.poll(hidden, { timeout: 60_000 }).toEqual({ [gone]: 'deleted', [closed]: 'deactivated' })
    const lengths = async () =>
      Object.fromEntries((await readStatus(four))?.streams.map(({ name, length }) => [name, length]) ?? [])
    await expect
      .poll(lengths, { timeout: 60_000 })
      .toMatchObject({ firehose_live: 0, firehose_backfill: 0, repo_backfill: 0, label_live: 0 })
    four.assertRunning()
  },
)
