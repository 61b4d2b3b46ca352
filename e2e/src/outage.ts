// The story of an indexer that stands still for ten days, told by real processes, and what becomes of the rows.
import { parseArgs } from 'node:util'
import { startPostgres, startRedis } from '@millrace/local-services'
import { beginStory } from './begin-story.ts'
import { playOutage } from './outage/play-outage.ts'
import { renderOutage, workPercent } from './outage/render-outage.ts'

const { values: flags } = parseArgs({
  options: {
    accounts: { type: 'string', default: '180' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run e2e:outage -- [--accounts 180] [--seed 1] [--json]

The four apps over a simulated network: they fetch it, and follow it. Then the indexer stands still without a word, the
alarm is raised, nobody heeds it, the relay forgets, the stream is trimmed. Started again, all has to heal by itself.
Exits 1 when the rows are not those of the final repos, or when nothing was lost that had to be repaired.
`)
  process.exit(0)
}

await using redis = await startRedis()
await using postgres = await startPostgres()
const result = await playOutage({
  redisUrl: redis.url,
  databaseUrl: postgres.url,
  form: 'built',
  accounts: Number(flags.accounts),
  recordsPerAccount: 10,
  window: 40,
  unseenWrites: 120,
  seed: Number(flags.seed),
  alarmHaste: 20,
  say: beginStory(),
})
const isHealed = result.anomalies.length === 0
const wasHurt = result.framesGone > 0 && result.lost > 0
if (flags.json) {
  const work = workPercent(result.repairRequests, result.backfillRequests)
  for (const [name, value, unit, pass] of [
    ['outage alarm', Math.round(result.alarmSeconds), 's', result.alarmSeconds > 0],
    ['outage rows lost to the replay', result.lost, 'rows', wasHurt],
    ['outage repos fetched', result.reposFetched, 'repos', result.reposFetched < result.reposListed],
    ['outage work of a first backfill', work, 'percent', work < 100],
    ['outage rows wrong in the end', result.anomalies.length, 'rows', isHealed],
  ] as const)
    process.stdout.write(`${JSON.stringify({ name, value, unit, pass })}\n`)
} else process.stdout.write(`\n${renderOutage(result)}\n`)
process.exitCode = isHealed && wasHurt ? 0 : 1
