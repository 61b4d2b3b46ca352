import { renderAnomalies } from '@millrace/oracle'
import { serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { playOutage } from './play-outage.ts'
import { renderOutage, workPercent } from './render-outage.ts'

serviceTest(
  'an indexer that stands still is an alarm, and what nobody can replay any more is repaired: rows, deletions, statuses (O6, B2)',
  { timeout: 400_000 },
  async ({ redisUrl, databaseUrl }) => {
    const said: string[] = []
    const result = await playOutage({
      redisUrl,
      databaseUrl,
      form: 'source',
      accounts: 40,
      recordsPerAccount: 6,
      window: 20,
      unseenWrites: 60,
      seed: 2,
      alarmHaste: 100,
      say: (text) => said.push(text),
    })
    console.log(`${said.join('\n')}\n${renderOutage(result)}`)
    expect(result.alarm).toMatch(/^firehose_group of firehose_live has acked nothing for \d+ s although entries wait/)
    // It was lost, and known to be.
    expect(result.framesGone).toBeGreaterThan(0)
    expect(result.trimmed).toBeGreaterThan(0)
    expect(result.lost).toBeGreaterThan(0)
    expect(result.gaps.join()).toContain('outdated-cursor')
    // The work of what has moved, not that of everything.
    expect(result.reposFetched).toBeLessThan(result.reposListed)
    expect(workPercent(result.repairRequests, result.backfillRequests)).toBeGreaterThan(0)
    expect(renderAnomalies(result.anomalies)).toBe('')
  },
)
