import { serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { hostileHosts } from './hostile-hosts.ts'
import { playInlets } from './play-inlets.ts'
import { inletsResults, renderInlets } from './render-inlets.ts'

serviceTest(
  'with large repos, many small ones and hosts that do harm at once, what is honest is indexed, and nothing else (B6, B7, B8)',
  { timeout: 300_000 },
  async ({ redisUrl, databaseUrl }) => {
    const said: string[] = []
    const result = await playInlets({
      redisUrl,
      databaseUrl,
      form: 'source',
      // An account whose first event overtakes its repo is left alone for a minute, which is three seconds here.
      haste: 20,
      repos: 24,
      recordsPerRepo: 6,
      manyBytes: 2e6,
      manyRecords: 2_000,
      // Of it half a gigabyte has to be read.
      hostile: hostileHosts.filter(({ name }) => name !== 'endless'),
      guestsPerHost: 1,
      concurrency: 4,
      rate: 10,
      seed: 2,
      timeoutMs: 240_000,
      say: (text) => said.push(text),
    })
    console.log(`${said.join('\n')}\n${renderInlets(result)}`)
    expect(result.hostile.map(({ requests }) => requests).every((requests) => requests > 0)).toBe(true)
    expect(result.lags.length).toBeGreaterThan(0)
    // What a busy machine makes of time and memory is judged by `npm run e2e:inlets`.
    const wrong = inletsResults(result).filter(({ unit, pass }) => unit === 'rows' && !pass)
    expect(wrong).toEqual([])
  },
)
