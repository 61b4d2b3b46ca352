import { migrate, openDatabase } from '@millrace/database'
import { startPostgres } from '@millrace/local-services'
import { createLogger, describeError, runAll } from '@millrace/runtime'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { idleWatch, isBackfilled } from './idle-watch.ts'
import { openRelay, openSimulation } from './network.ts'
import { help, readOptions, type Options } from './options.ts'
import { joinPipeline } from './pipeline.ts'
import { startServer } from './server.ts'
import { statusphere } from './statusphere.ts'
import { renderSummary, summarize } from './summary.ts'

const say = (text: string): void => void process.stderr.write(`statusphere: ${text}\n`)

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
    await run(options, stop.signal)
  } catch (error) {
    say(describeError(error))
    process.exitCode = 1
  }
}

async function run({ relay, data, port, accounts, exitWhenIdle, json }: Options, signal: AbortSignal): Promise<void> {
  await using resources = new AsyncDisposableStack()
  const network = resources.use(
    relay === undefined
      ? await openSimulation({
          accounts,
          ...(exitWhenIdle ? { writes: 40, everyMs: 10 } : { writes: Infinity, everyMs: 1_000, newcomers: true }),
        })
      : openRelay(relay),
  )
  const folder = data ?? (relay === undefined ? await temporaryFolder(resources) : '.millrace/statusphere')
  await mkdir(folder, { recursive: true })
  const logger = createLogger({
    name: 'statusphere',
    destination: createWriteStream(path.join(folder, 'statusphere.log'), { flags: 'a' }),
  })
  const postgres = resources.use(await startPostgres({ folder: path.join(folder, 'postgres'), onProgress: say }))
  const database = resources.use(
    await openDatabase({ url: postgres.url, schema: 'statusphere', pipeline: true, logger }),
  )
  await migrate(database, { sets: [statusphere], logger })
  const store = resources.use(await openSqliteStreams({ file: path.join(folder, 'streams.db'), logger }))
  const pipeline = await joinPipeline({ network, store, database, logger })
  const server = resources.use(await startServer({ database, port }))
  say(`${network.title}; rows in ${postgres.url}, schema statusphere`)
  say(`open ${server.url}`)

  const idle = idleWatch(network, pipeline)
  const loops = [...pipeline.loops, ...network.traffic(() => isBackfilled(pipeline)), ...(exitWhenIdle ? [idle] : [])]
  await runAll(loops, AbortSignal.any([signal, idle.signal]), { logger })
  if (!exitWhenIdle) return
  const summary = await summarize(database, network.title, await pipeline.status())
  process.stdout.write(json ? `${JSON.stringify(summary, undefined, 2)}\n` : renderSummary(summary))
}

async function temporaryFolder(resources: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'statusphere-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}
