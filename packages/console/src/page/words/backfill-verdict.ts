import type { GetBackfillOutput } from '@millrace/admin-api'
import { counted } from './amount.ts'
import { duration } from './duration.ts'
import type { Level } from './level.ts'

/** How far the backfill is, in one sentence. */
export function backfillVerdict(backfill: GetBackfillOutput): { level: Level; sentence: string } {
  const { state, isListing, listed = 0, waiting, running, etaSeconds } = backfill
  const left = listed + waiting.asked + waiting.live + waiting.repair + waiting.backfill + running
  const repos = counted(left, 'repo')
  const more = isListing ? ', and hosts are still being listed' : ''
  switch (state) {
    case 'absent':
      return { level: 'bad', sentence: `${repos} to fetch${more}, and no backfiller is heard of.` }
    case 'paused':
      return { level: 'unknown', sentence: `It is paused: ${repos} to fetch${more}.` }
    case 'idle':
      return {
        level: 'ok',
        sentence: isListing ? 'Nothing waits, and hosts are still being listed.' : 'All repos are fetched.',
      }
    case 'running':
    default: {
      const end =
        etaSeconds === undefined ? 'it cannot be told yet how long that takes' : `done in about ${duration(etaSeconds)}`
      return { level: 'ok', sentence: `${repos} to fetch, ${end}${more}.` }
    }
  }
}
