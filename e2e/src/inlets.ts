// Large repos, many small ones and hosts that do harm, all at once, through real processes.
import { parseArgs } from 'node:util'
import { startPostgres, startRedis } from '@millrace/local-services'
import { beginStory } from './begin-story.ts'
import { hostileHosts } from './inlets/hostile-hosts.ts'
import { playInlets } from './inlets/play-inlets.ts'
import { inletsResults, renderInlets } from './inlets/render-inlets.ts'

const { values: flags } = parseArgs({
  options: {
    repos: { type: 'string', default: '2000' },
    records: { type: 'string', default: '1000000' },
    megabytes: { type: 'string', default: '100' },
    guests: { type: 'string', default: '10' },
    concurrency: { type: 'string', default: '16' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (flags.help) {
  process.stdout.write(`npm run e2e:inlets -- [--repos 2000] [--records 1000000] [--megabytes 100] [--guests 10]
                        [--concurrency 16] [--minutes 30] [--seed 1] [--json]

The four apps over a simulated network of small repos, a large repo by bytes, a large one by records, and ten hosts that
do harm, each in its own way, while live events go on. All that is honest has to be in the rows, nothing else may be, the
backfiller has to stay under 1 GB, and of live records 99 in 100 have to be rows within 2 s. Exits 1 otherwise.
  --repos        small repos
  --records      of the repo of many records
  --megabytes    of the repo of much text
  --guests       accounts that each of the hostile hosts has
  --concurrency  repos that the backfiller fetches at a time
  --minutes      after which it is given up
`)
  process.exit(0)
}

await using redis = await startRedis()
await using postgres = await startPostgres()
const result = await playInlets({
  redisUrl: redis.url,
  databaseUrl: postgres.url,
  form: 'built',
  repos: Number(flags.repos),
  recordsPerRepo: 8,
  manyBytes: Number(flags.megabytes) * 1e6,
  manyRecords: Number(flags.records),
  hostile: hostileHosts,
  guestsPerHost: Number(flags.guests),
  concurrency: Number(flags.concurrency),
  rate: 10,
  seed: Number(flags.seed),
  timeoutMs: Number(flags.minutes) * 60_000,
  say: beginStory(),
})
const results = inletsResults(result)
if (flags.json) for (const line of results) process.stdout.write(`${JSON.stringify(line)}\n`)
else process.stdout.write(`\n${renderInlets(result)}\n`)
process.exitCode = results.every(({ pass }) => pass) ? 0 : 1
