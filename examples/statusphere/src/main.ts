import { openAppView, type AppViewNetwork } from '@millrace/appview'
import { createLogger, describeError, identityVariables, readConfig } from '@millrace/runtime'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { help, readOptions, type Options } from './options.ts'
import { startServer } from './server.ts'
import { Simulation } from './simulation.ts'
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
    await run(options)
  } catch (error) {
    say(describeError(error))
    process.exitCode = 1
  }
}

async function run({ relay, data, port, accounts, exitWhenIdle, json }: Options): Promise<void> {
  await using resources = new AsyncDisposableStack()
  const simulation =
    relay === undefined
      ? resources.use(
          await Simulation.start({ accounts, everyMs: exitWhenIdle ? 10 : 1_000, newcomers: !exitWhenIdle }),
        )
      : undefined
  const folder = data ?? (simulation ? await temporaryFolder(resources) : '.millrace/statusphere')
  await mkdir(folder, { recursive: true })
  const title = relay ?? `simulated network, ${accounts} accounts`

  const appview = resources.use(
    await openAppView({
      network: simulation?.place ?? networkOf(relay!),
      set: statusphere,
      folder,
      schema: 'statusphere',
      logger: createLogger({
        name: 'statusphere',
        destination: createWriteStream(path.join(folder, 'statusphere.log'), { flags: 'a' }),
      }),
      onProgress: say,
    }),
  )
  const server = resources.use(await startServer({ database: appview.database, port }))
  say(`${title}; rows in ${appview.databaseUrl}, schema statusphere`)
  say(`open ${server.url}`)

  const running = appview.run(stop.signal)
  const followed = follow()
  await Promise.race([running, followed])
  if (exitWhenIdle) stop.abort()
  await Promise.all([running, followed])
  if (!exitWhenIdle) return
  const summary = await summarize(appview, title)
  process.stdout.write(json ? `${JSON.stringify(summary, undefined, 2)}\n` : renderSummary(summary))

  async function follow(): Promise<void> {
    const { signal } = stop
    await appview.indexed(signal)
    await simulation?.write(exitWhenIdle ? 40 : Infinity, signal)
    await appview.indexed(signal, simulation?.network.head())
  }
}

/** The real network, or another one whose directory and resolver are named by the environment. */
function networkOf(relay: string): AppViewNetwork {
  const env = readConfig(identityVariables, process.env)
  return {
    relay,
    plcUrl: env.DID_PLC_URL,
    handleResolverUrl: env.HANDLE_RESOLVER_URL,
    allowPrivateHosts: env.MILLRACE_ALLOW_PRIVATE_HOSTS,
  }
}

async function temporaryFolder(resources: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'statusphere-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}
