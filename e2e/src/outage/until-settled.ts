import { setTimeout as wait } from 'node:timers/promises'
import type { SimulatedNetwork } from '@millrace/dev-network'
import type { Pool } from 'pg'
import type { FourApps } from '../pipeline/four-apps.ts'
import { readStatus } from '../pipeline/wait-until-indexed.ts'

export interface SettleOptions {
  four: FourApps
  pool: Pool
  network: SimulatedNetwork
  timeoutMs: number
}

/** Tables that hold work, and what of them is still to do. */
const openWork = `
  select 'accounts to fetch' as what, count(*)::int as count from bsky.millrace_dirty
  union all select 'open gaps', count(*)::int from bsky.millrace_gap where closed_at is null
  union all select 'open repairs', count(*)::int from bsky.millrace_repair where finished_at is null
  union all select 'handles to look up', count(*)::int from bsky.millrace_identity where forced or checked_at is null
  union all select 'statuses to ask for', count(*)::int from bsky.millrace_account where next_at is not null`

/**
 * Waits until nothing is left to do: all is read and indexed, no account is to be fetched, no gap and no repair is open.
 * @throws with what is left.
 */
export async function untilSettled({ four, pool, network, timeoutMs }: SettleOptions): Promise<void> {
  const endsAt = performance.now() + timeoutMs
  let left: string[] = []
  for (let quiet = 0; quiet < 2; await wait(200)) {
    four.assertRunning()
    left = [...(await leftInStreams(four, network)), ...(await leftInTables(pool))]
    quiet = left.length === 0 ? quiet + 1 : 0
    if (performance.now() < endsAt) continue
    const said = Object.values(four.apps).map(({ name, output }) => `${name}: ${output.slice(-1_500)}`)
    throw new Error(`does not settle: ${left.join(', ')}\n${said.join('\n')}`)
  }
}

/** What the firehose has and the rows have not. */
export async function leftInStreams(four: FourApps, network: SimulatedNetwork): Promise<string[]> {
  const status = await readStatus(four)
  if (!status || status.streams.length === 0) return ['the admin server does not answer']
  const left = status.streams
    .filter(({ length }) => length > 0)
    .map(({ name, length }) => `${length} entries in ${name}`)
  const cursorOf = (stream: string) => status.cursors.find((cursor) => cursor.stream === stream)
  const firehose = Number(cursorOf('firehose_live')?.cursor ?? -1)
  if (firehose < network.head()) left.push(`the firehose is read to ${firehose} of ${network.head()}`)
  const labels = Number(cursorOf('label_live')?.cursor ?? -1)
  if (labels < network.labeler.head) left.push(`labels are read to ${labels} of ${network.labeler.head}`)
  if (cursorOf('repo_backfill')?.done !== true) left.push('repos are being listed')
  return left
}

async function leftInTables(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ what: string; count: number }>(openWork)
  return rows.filter(({ count }) => count > 0).map(({ what, count }) => `${count} ${what}`)
}
