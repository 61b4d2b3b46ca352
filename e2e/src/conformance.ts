// A recorded network through the four apps as they are deployed, compared with the rows that the reference made of it, and
// with what its repos hold in the end; then the reference AppView on these rows, compared with the answers that it gave over its own.
import { parseArgs } from 'node:util'
import { startRecordedNetwork } from '@millrace/dev-network'
import { startPostgres, startRedis } from '@millrace/local-services'
import { renderAnomalies } from '@millrace/oracle'
import { exactly } from '@millrace/testing/results'
import { renderAnswers } from './answers/judge-answers.ts'
import { readRecordedCalls } from './answers/recorded-calls.ts'
import { compareWithReference } from './compare-with-reference.ts'
import { recordedAnomalies } from './compare/recorded-anomalies.ts'
import { renderVerdicts } from './compare/compare-databases.ts'
import { FourApps } from './pipeline/four-apps.ts'
import { LAST_LABELS, recordingFolder, startAtFirstFrame } from './pipeline/recording.ts'
import { TestPool } from './pipeline/test-pool.ts'
import { waitUntilIndexed } from './pipeline/wait-until-indexed.ts'

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
})
if (flags.help) {
  process.stdout.write(
    'npm run conformance -- [--json]\n\nExits 1 when a row or an answer differs for which docs/deviations.md has no reason.\n',
  )
  process.exit(0)
}
const say = (text: string): void => void process.stderr.write(`${text}\n`)

await using network = await startRecordedNetwork({ folder: recordingFolder })
await using redis = await startRedis()
await using postgres = await startPostgres({ durable: true })
say(`network ${network.relayUrl}, Redis ${redis.version}, Postgres ${postgres.version}`)
await startAtFirstFrame(redis.url, network.relayUrl)
await using pool = new TestPool(postgres.url)
await using four = await FourApps.start({ network, redisUrl: redis.url, databaseUrl: postgres.url, form: 'built' })
let said = ''
const status = await waitUntilIndexed({
  four,
  pool,
  schema: 'bsky',
  heads: { firehose: network.head(), labels: LAST_LABELS },
  timeoutMs: 600_000,
  onProgress: (text) => {
    if (text !== '' && text !== said) say(`  ${text}`)
    said = text
  },
})
const recorded = await readRecordedCalls(recordingFolder)
say(`  the reference AppView answers ${recorded.calls.length} calls`)
const { tables, methods, migrations, unexplained } = await compareWithReference({
  pool,
  databaseUrl: postgres.url,
  schema: 'bsky',
  network,
  recorded,
})
const anomalies = await recordedAnomalies(pool, network)
// Three records of the recording are none of their collections.
const otherReasons = (status.database?.deadLetters ?? []).filter(({ reason }) => reason !== 'invalid-record')
const { indexer, ingester, backfiller } = four.apps
const codes = await Promise.all([indexer, ingester, backfiller].map((app) => app.stop()))
const results = [
  ...tables.map(({ table, unexplained }) => exactly(0, `conformance ${table}`, unexplained.length, 'rows')),
  exactly(0, 'conformance AppView start', migrations, 'migrations'),
  exactly(0, 'conformance with the repos', anomalies.length, 'rows'),
  exactly(0, 'conformance dead letters of other reasons', otherReasons.length, 'reasons'),
  exactly(0, 'conformance apps that fail to stop', codes.filter((code) => code !== 0).length, 'apps'),
  ...methods.map(({ nsid, different }) => exactly(0, `conformance ${nsid}`, different.length, 'answers')),
]
if (flags.json) {
  for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`)
} else {
  const { rows, answers } = unexplained
  process.stdout.write(
    [
      renderVerdicts(tables),
      anomalies.length === 0 ? 'All is as the repos have it.' : renderAnomalies(anomalies),
      rows === 0 ? 'No row differs without a reason.' : `${rows} rows differ without a reason.`,
      renderAnswers(methods),
      answers === 0 ? 'No answer differs without a reason.' : `${answers} answers differ without a reason.`,
      migrations === 0
        ? 'The AppView found nothing to migrate.'
        : `The AppView applied ${migrations} migrations when it started.`,
      ...otherReasons.map(
        ({ reason, count }) => `${count} entries ended as dead letters, which none should: ${reason}.`,
      ),
      ...(codes.every((code) => code === 0) ? [] : [`The apps stopped with ${codes.join(', ')}.`]),
    ].join('\n\n') + '\n',
  )
}
process.exitCode = results.every(({ pass }) => pass) ? 0 : 1
