// A recorded network through the four apps as they are deployed, compared with the rows that the reference made of it.
import { parseArgs } from 'node:util'
import { startRecordedNetwork } from '@millrace/dev-network'
import { startPostgres, startRedis } from '@millrace/local-services'
import { Pool } from 'pg'
import { compareDatabases, renderVerdicts } from './compare/compare-databases.ts'
import { readDatabase, readExpected } from './compare/read-rows.ts'
import { FourApps } from './pipeline/four-apps.ts'
import { LAST_LABELS, recordingFolder, startAtFirstFrame } from './pipeline/recording.ts'
import { waitUntilIndexed } from './pipeline/wait-until-indexed.ts'

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
})
if (flags.help) {
  process.stdout.write(
    'npm run conformance -- [--json]\n\nExits 1 when a row differs for which docs/deviations.md has no reason.\n',
  )
  process.exit(0)
}
const say = (text: string): void => void process.stderr.write(`${text}\n`)

await using network = await startRecordedNetwork({ folder: recordingFolder })
await using redis = await startRedis()
await using postgres = await startPostgres({ durable: true })
say(`network ${network.relayUrl}, Redis ${redis.version}, Postgres ${postgres.version}`)
await startAtFirstFrame(redis.url, network.relayUrl)
const pool = new Pool({ connectionString: postgres.url })
await using four = await FourApps.start({ network, redisUrl: redis.url, databaseUrl: postgres.url, form: 'built' })
let said = ''
await waitUntilIndexed({
  four,
  pool,
  schema: 'bsky',
  heads: { firehose: network.head(), labels: LAST_LABELS },
  onProgress: (text) => {
    if (text !== '' && text !== said) say(`  ${text}`)
    said = text
  },
})
const verdicts = compareDatabases({
  expected: await readExpected(recordingFolder, 'db-replay'),
  actual: await readDatabase(pool, 'bsky'),
})
await pool.end()
const unexplained = verdicts.reduce((sum, verdict) => sum + verdict.unexplained.length, 0)
if (flags.json) {
  for (const { table, unexplained: rows } of verdicts) {
    const line = { name: `conformance ${table}`, value: rows.length, unit: 'rows', goal: 0, pass: rows.length === 0 }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  }
} else {
  process.stdout.write(
    `${renderVerdicts(verdicts)}\n\n${unexplained === 0 ? 'No row differs without a reason.' : `${unexplained} rows differ without a reason.`}\n`,
  )
}
process.exitCode = unexplained === 0 ? 0 : 1
