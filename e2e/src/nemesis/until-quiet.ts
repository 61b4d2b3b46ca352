import { setTimeout as wait } from 'node:timers/promises'
import { cursorKey, streams } from '@millrace/stream-protocol'
import type { Stage } from './stage.ts'

/**
 * Waits until nothing is left to do: all is read, no stream holds an entry, nothing is marked, no gap and no repair is
 * open, everything that was asked is answered.
 * @returns how long that took, in milliseconds.
 * @throws with what is left when it takes longer than `timeoutMs`.
 */
export async function untilQuiet(stage: Stage, timeoutMs: number): Promise<number> {
  const startedAt = performance.now()
  let left: string[] = ['nothing was looked at']
  let lastProblem = ''
  for (let quiet = 0; quiet < 3;) {
    if (performance.now() - startedAt > timeoutMs)
      throw new NotQuietError(left, Object.values(stage.apps).map(lastWords))
    try {
      left = await whatIsLeft(stage)
      quiet = left.length === 0 ? quiet + 1 : 0
    } catch (error) {
      lastProblem = (error as Error).message
      left = [lastProblem]
      quiet = 0
    }
    await wait(200)
  }
  return performance.now() - startedAt
}

class NotQuietError extends Error {
  constructor(left: readonly string[], said: readonly string[]) {
    super(`does not come to rest: ${left.join(', ')}\n${said.join('\n')}`)
  }
}

function lastWords({ name, output }: { name: string; output: string }): string {
  return `${name}: ${output.slice(-1_500)}`
}

async function whatIsLeft(stage: Stage): Promise<string[]> {
  const { network } = stage
  for (const app of Object.values(stage.apps)) if (!app.isRunning) return [`${app.name} has ended`]
  const cursor = async (stream: string, url: string): Promise<number> =>
    Number((await stage.command('GET', cursorKey(stream, url))) ?? -1)
  const left: string[] = []
  const live = await cursor(streams.firehoseLive, network.relayUrl)
  if (live < network.head()) left.push(`the firehose is read to ${live} of ${network.head()}`)
  const labels = await cursor(streams.labelLive, network.labelerUrl)
  if (labels < network.labeler.head) left.push(`labels are read to ${labels} of ${network.labeler.head}`)
  for (const stream of Object.values(streams)) {
    const length = Number(await stage.command('XLEN', stream))
    if (length > 0) left.push(`${length} entries in ${stream}`)
  }
  const { rows } = await stage.pool.query<{ what: string; count: number }>(`
    select 'marked accounts' as what, count(*)::int from millrace_dirty
    union all select format('open gap of %s for %s, repair %s', host, reason, coalesce(repair::text, 'none')), 1 from millrace_gap where closed_at is null
    union all select 'open repairs', count(*)::int from millrace_repair where finished_at is null
    union all select 'commits that wait', count(*)::int from millrace_commit
    union all select 'runs', count(*)::int from millrace_run
    union all select 'handles to look up', count(*)::int from millrace_identity where forced or checked_at is null
    union all select 'accounts to ask about', count(*)::int from millrace_account where next_at is not null`)
  for (const { what, count } of rows) if (count > 0) left.push(`${count} ${what}`)
  return left
}
