import { startSimulatedNetwork } from '@millrace/dev-network'
import { startPostgres } from '@millrace/local-services'
import { openRedisStreams } from '@millrace/redis-streams'
import { createLogger, describeError } from '@millrace/runtime'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createDatabases } from './create-databases.ts'
import { help, readOptions, type Options } from './options.ts'
import { isSame, renderComparison, renderStep } from './render.ts'
import { secondSink, type Report } from './second-sink.ts'
import { Traffic } from './traffic.ts'

const say = (text: string): void => void process.stderr.write(`second-sink: ${text}\n`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

let options: Options | 'help' | undefined
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  say(`${(error as Error).message}\n\n${help}`)
  process.exitCode = 2
}
if (options === 'help') process.stdout.write(help)
else if (options) {
  try {
    process.exitCode = await run(options, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) say(describeError(error))
    process.exitCode = 1
  }
}

async function run({ accounts, redis, exitWhenIdle, json }: Options, signal: AbortSignal): Promise<number> {
  await using resources = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'second-sink-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const network = resources.use(
    await startSimulatedNetwork({ accounts, recordsPerAccount: 0, labels: 0, time: 'real' }),
  )
  const traffic = new Traffic(network, 20)
  await traffic.write(accounts * 20)
  const postgres = resources.use(await startPostgres({ folder: path.join(folder, 'postgres'), onProgress: say }))
  const urls = await createDatabases(postgres.url)
  say(`the databases are ${urls.first} and ${urls.second}`)
  const logger = createLogger({ name: 'second-sink', destination: createWriteStream(path.join(folder, 'log')) })
  const store = resources.use(
    redis === undefined
      ? await openSqliteStreams({ file: path.join(folder, 'streams.db'), logger })
      : await openRedisStreams({ url: redis, logger }),
  )
  let number = 0
  const print = ({ comparison, steps }: Report): void => {
    const text = json ? `${JSON.stringify({ steps, comparison }, undefined, 2)}\n` : renderComparison(comparison)
    process.stdout.write(text)
  }
  const report = await secondSink({
    network,
    traffic,
    store,
    urls,
    say: (step) => void (json || process.stdout.write(`${renderStep(step, ++number)}\n`)),
    goOn: exitWhenIdle
      ? undefined
      : async (report) => {
          print(report)
          say('both go on, and records are written; Ctrl-C ends it')
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
    logger,
    signal,
  })
  if (exitWhenIdle) print(report)
  return isSame(report.comparison) ? 0 : 1
}
