import { startSimulatedNetwork } from '@millrace/dev-network'
import { startPostgres } from '@millrace/local-services'
import { openRedisStreams } from '@millrace/redis-streams'
import { createLogger } from '@millrace/runtime'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createDatabases } from './create-databases.ts'
import type { Options } from './options.ts'
import { isSame, renderComparison, renderStep } from './render.ts'
import { secondSink, type Report } from './second-sink.ts'
import { Traffic } from './traffic.ts'

/** What is around the process. */
export interface Surroundings {
  /** Gets what is told on the way, a line each. */
  say: (line: string) => void
  /** Gets the steps and the comparison. */
  print: (text: string) => void
  signal: AbortSignal
}

/** The example with a network and stores of its own. @returns the exit code. */
export async function runSecondSink(options: Options, { say, print, signal }: Surroundings): Promise<number> {
  const { accounts, redis, exitWhenIdle, json } = options
  await using resources = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'second-sink-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const network = resources.use(
    await startSimulatedNetwork({ accounts, recordsPerAccount: 0, labels: 0, time: 'real' }),
  )
  const traffic = new Traffic(network, 20)
  await traffic.write(accounts * 20)
  const postgres = resources.use(await startPostgres({ onProgress: say }))
  const urls = await createDatabases(postgres.url)
  say(`the databases are ${urls.first} and ${urls.second}`)
  const logger = createLogger({ name: 'second-sink', destination: createWriteStream(path.join(folder, 'log')) })
  const store = resources.use(
    redis === undefined
      ? await openSqliteStreams({ file: path.join(folder, 'streams.db'), logger })
      : await openRedisStreams({ url: redis, logger }),
  )
  let number = 0
  const tell = ({ comparison, steps }: Report): void => {
    const text = json ? `${JSON.stringify({ steps, comparison }, undefined, 2)}\n` : renderComparison(comparison)
    print(text)
  }
  const report = await secondSink({
    network,
    traffic,
    store,
    urls,
    say: (step) => void (json || print(`${renderStep(step, ++number)}\n`)),
    goOn: exitWhenIdle
      ? undefined
      : async (report) => {
          tell(report)
          say('both go on, and records are written; Ctrl-C ends it')
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
    logger,
    signal,
  })
  if (exitWhenIdle) tell(report)
  return isSame(report.comparison) ? 0 : 1
}
