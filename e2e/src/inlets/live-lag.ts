import type { SimulatedAccount } from '@millrace/dev-network'
import { sleep } from '@millrace/stream-protocol'
import type { Pool } from 'pg'

export interface LiveLagOptions {
  pool: Pool
  /** Accounts that write the records whose way is measured. */
  writers: readonly SimulatedAccount[]
  signal: AbortSignal
}

/** A record is written so often, and rows are looked at. */
const WRITE_EVERY_MS = 100
const LOOK_EVERY_MS = 20
/** Others write as well, and may have deleted a record whose row has not been seen by then. */
const LONG_MS = 2_000

interface Probe {
  writer: SimulatedAccount
  sentAt: number
}

/**
 * Writes records until the signal is aborted, and waits for the row of each. Those before the first that has become one
 * say how long processes take to start, and do not count.
 * @returns for each, the milliseconds from its frame on the firehose to its row.
 */
export async function measureLiveLag({ pool, writers, signal }: LiveLagOptions): Promise<number[]> {
  const open = new Map<string, Probe>()
  const lags: number[] = []
  let isRunning = false
  const write = async (): Promise<void> => {
    for (let n = 0; !signal.aborted; n++) {
      const writer = writers[n % writers.length]!
      const record = { text: `probe ${n}`, createdAt: new Date().toISOString() }
      const { uri } = await writer.create('app.bsky.feed.post', record)
      open.set(uri, { writer, sentAt: performance.now() })
      await sleep(WRITE_EVERY_MS, signal)
    }
  }
  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ uri: string }>(`select uri from bsky.record where uri = any ($1::text[])`, [
      [...open.keys()],
    ])
    const now = performance.now()
    for (const { uri } of rows) {
      if (isRunning) lags.push(now - open.get(uri)!.sentAt)
      open.delete(uri)
    }
    if (rows.length > 0 && !isRunning) {
      isRunning = true
      open.clear()
    }
    for (const [uri, { writer, sentAt }] of open)
      if (now - sentAt > LONG_MS && !writer.records().some((record) => record.uri === uri)) open.delete(uri)
  }
  const looking = async (): Promise<void> => {
    for (; !signal.aborted || open.size > 0; await sleep(LOOK_EVERY_MS)) if (open.size > 0) await look()
  }
  await Promise.all([write(), looking()])
  return lags
}
