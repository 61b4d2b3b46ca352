import type { SimulatedNetwork } from '@millrace/dev-network'
import type { Pool } from 'pg'
import type { FourApps } from '../pipeline/four-apps.ts'
import { leftInTables, untilNothingIsLeft } from '../pipeline/until-nothing-is-left.ts'
import { readStatus } from '../pipeline/wait-until-indexed.ts'

export interface SettleOptions {
  four: FourApps
  pool: Pool
  network: SimulatedNetwork
  timeoutMs: number
}

/**
 * Waits until nothing is left to do: all is read and indexed, no account is to be fetched, no gap and no repair is open.
 * @throws with what is left.
 */
export async function untilSettled({ four, pool, network, timeoutMs }: SettleOptions): Promise<void> {
  const look = async (): Promise<string[]> => {
    four.assertRunning()
    return [...(await leftInStreams(four, network)), ...(await leftInTables(pool))]
  }
  await untilNothingIsLeft({ look, looks: 2, timeoutMs, apps: Object.values(four.apps) })
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
