import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import type { FourApps } from './four-apps.ts'

/** As much of `dev.millrace.admin.getStatus` as is needed to know that everything is in. */
export interface PipelineStatus {
  problems: { code: string; message: string }[]
  streams: { name: string; length: number }[]
  cursors: { stream: string; host: string; cursor?: string; done: boolean }[]
  database?: { deadLetters: { reason: string; count: number }[]; dirty: { count: number } }
}

export interface WaitOptions {
  four: FourApps
  pool: pg.Pool
  schema: string
  /** Sequence numbers of the last frame of firehose and labeler. */
  heads: { firehose: number; labels: number }
  timeoutMs?: number
  onProgress?: (text: string) => void
}

/** The admin server's own answer; null while it is still starting. */
export async function readStatus(four: FourApps): Promise<PipelineStatus | null> {
  try {
    const response = await fetch(`${four.adminUrl}/xrpc/dev.millrace.admin.getStatus`)
    return response.ok ? ((await response.json()) as PipelineStatus) : null
  } catch {
    return null // not listening yet
  }
}

/**
 * Waits until all that the network has is listed, streamed, backfilled and indexed, and every handle and status is looked up.
 * @throws with what is still missing, or when an app has ended.
 */
export async function waitUntilIndexed({
  four,
  pool,
  schema,
  heads,
  timeoutMs = 120_000,
  onProgress,
}: WaitOptions): Promise<PipelineStatus> {
  const deadline = performance.now() + timeoutMs
  let missing = ''
  while (performance.now() < deadline) {
    four.assertRunning()
    const status = await readStatus(four)
    missing = status ? whatIsMissing(status, heads) : 'the admin server does not answer'
    if (status && missing === '') {
      const { rows } = await pool.query<{ count: string }>(
        `select (select count(*) from "${schema}".millrace_identity where forced or checked_at is null) + (select count(*) from "${schema}".millrace_account where next_at is not null) as count`,
      )
      if (Number(rows[0]!.count) === 0) return status
      missing = `${rows[0]!.count} handles and statuses to look up`
    }
    onProgress?.(missing)
    await wait(250)
  }
  throw new Error(
    `not indexed within ${timeoutMs / 1000} s: ${missing}\n${Object.values(four.apps)
      .map((app) => app.output.slice(-2_000))
      .join('\n')}`,
  )
}

function whatIsMissing({ streams, cursors }: PipelineStatus, heads: { firehose: number; labels: number }): string {
  const cursorOf = (stream: string) => cursors.find((cursor) => cursor.stream === stream)
  if (Number(cursorOf('firehose_live')?.cursor ?? 0) < heads.firehose)
    return `firehose at ${cursorOf('firehose_live')?.cursor ?? 'no cursor'} of ${heads.firehose}`
  if (Number(cursorOf('label_live')?.cursor ?? 0) < heads.labels)
    return `labels at ${cursorOf('label_live')?.cursor ?? 'no cursor'} of ${heads.labels}`
  if (!cursorOf('repo_backfill')?.done) return 'repos are being listed'
  const full = streams.filter(({ length }) => length > 0)
  return full.map(({ name, length }) => `${length} entries in ${name}`).join(', ')
}
