import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { AppProcess } from './app-process.ts'

export interface WaitForQuietOptions {
  /** What is still to do, in words. */
  look: () => Promise<string[]>
  /** Looks one after the other that have to find nothing. */
  looks: number
  timeoutMs: number
  /** Told what is left, every ten seconds. */
  onWait?: (left: readonly string[]) => void
  /** Their last words are told when it takes too long. */
  apps: readonly AppProcess[]
}

const SAY_MS = 10_000

/** @throws with what is left to do, when something is for too long. */
export async function untilNothingIsLeft(options: WaitForQuietOptions): Promise<void> {
  const { look, looks, timeoutMs, onWait = () => undefined, apps } = options
  const endsAt = performance.now() + timeoutMs
  let sayAt = performance.now() + SAY_MS
  for (let quiet = 0; quiet < looks; await wait(200)) {
    const left = await look()
    quiet = left.length === 0 ? quiet + 1 : 0
    if (quiet === 0 && performance.now() >= sayAt) {
      onWait(left)
      sayAt = performance.now() + SAY_MS
    }
    if (performance.now() < endsAt) continue
    const said = apps.map(({ name, output }) => `${name}: ${output.slice(-1_500)}`)
    throw new Error(`does not come to rest: ${left.join(', ')}\n${said.join('\n')}`)
  }
}

/** Tables that hold work, and what of them is still to do. */
const openWork = `
  select 'accounts to fetch' as what, count(*)::int as count from bsky.millrace_dirty
  union all select 'open gaps', count(*)::int from bsky.millrace_gap where closed_at is null
  union all select 'open repairs', count(*)::int from bsky.millrace_repair where finished_at is null
  union all select 'handles to look up', count(*)::int from bsky.millrace_identity where forced or checked_at is null
  union all select 'statuses to ask for', count(*)::int from bsky.millrace_account where next_at is not null`

/** Repos of which something has come, and the rest has not. */
const partsOfRepos = `
  union all select 'commits that wait', count(*)::int from bsky.millrace_commit
  union all select 'runs', count(*)::int from bsky.millrace_run`

/** What the tables say is still to do; `thorough` also what only waits for something else to come. */
export async function leftInTables(pool: Pool, { thorough = false }: { thorough?: boolean } = {}): Promise<string[]> {
  const { rows } = await pool.query<{ what: string; count: number }>(openWork + (thorough ? partsOfRepos : ''))
  return rows.filter(({ count }) => count > 0).map(({ what, count }) => `${count} ${what}`)
}
