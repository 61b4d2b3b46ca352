import type { AdminClient } from '@millrace/admin-api'
import type { SimulatedAccount, SimulatedNetwork } from '@millrace/dev-network'
import { streams, groups } from '@millrace/stream-protocol'
import type { Pool } from 'pg'
import { connectRedis } from '../pipeline/connect-redis.ts'

/** Would be a script in a page that takes texts for markup. */
const SCRIPT = '<img src=x onerror="document.body.dataset.taken=1">'
/** Turns what follows around in a page that shows it as it is. */
const TURN = '\u202E'

/** A text that names what it is, so that it can be looked for. */
const hostile = (what: string): string => `${what}${SCRIPT}${TURN}`

/** The same as a reader has to see it. */
export const shown = (what: string): string => `${what}${SCRIPT}⟨202E⟩`

export interface HostileTextsOptions {
  admin: AdminClient
  network: SimulatedNetwork
  pool: Pool
  redisUrl: string
  victim: SimulatedAccount
}

/**
 * Puts texts of an attacker wherever strangers' texts come from: a handle, a label, errors, a payload, a host's reason, a
 * reader of a stream, a note of an operator. @returns what takes away what would disturb the pipeline.
 */
export async function placeHostileTexts({
  admin,
  network,
  pool,
  redisUrl,
  victim,
}: HostileTextsOptions): Promise<() => Promise<void>> {
  const { did } = victim
  await admin.call('resyncRepos', { dids: [did], reason: hostile('note ') })
  await network.label({ uri: did, val: hostile('label ') })
  await pool.query('update bsky.actor set handle = $1 where did = $2', [hostile('handle '), did])
  await pool.query('update bsky.millrace_dirty set last_error = $1 where did = $2', [hostile('fetch '), did])
  await pool.query(
    `insert into bsky.millrace_dead_letter (stream, entry_id, reason, error, did, payload) values ($1, '1-0', $2, $3, $4, $5)`,
    [streams.firehoseLive, 'invalid-record', hostile('error '), did, hostile('payload ')],
  )
  const { rows } = await pool.query<{ id: number }>(
    `insert into bsky.millrace_gap (host, stream, reason, closed_at) values ('gap.example', $1, $2, null) returning id`,
    [streams.firehoseLive, hostile('gap ')],
  )
  await sendToRedis(redisUrl, ['XGROUP', 'CREATECONSUMER', streams.labelLive, groups.label, hostile('consumer ')])
  await sendToRedis(redisUrl, ['XGROUP', 'CREATE', streams.labelLive, hostile('group '), '$'])
  return async () => {
    await pool.query('delete from bsky.millrace_gap where id = $1', [rows[0]!.id])
    await pool.query(`update bsky.millrace_dead_letter set state = 'discarded'`)
    await sendToRedis(redisUrl, ['XGROUP', 'DESTROY', streams.labelLive, hostile('group ')])
  }
}

async function sendToRedis(redisUrl: string, command: string[]): Promise<void> {
  using redis = await connectRedis(redisUrl)
  await redis.sendCommand(command)
}
