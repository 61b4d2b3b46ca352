import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ConfigError, createLogger, describeError, identityVariables, readConfig, redact } from '@millrace/runtime'
import { ResourceStack } from '@millrace/stream-protocol'
import type { AppViewNetwork } from './join-pipeline.ts'
import { openAppView, type AppView, type AppViewOptions } from './open-app-view.ts'
import { helpOf, readOptions, type CommandLine } from './options.ts'
import { serveHttp } from './serve-http.ts'
import { renderSummary, summarize } from './summary.ts'

/** A network on this machine, to try an AppView on. */
export interface SimulatedSource extends AsyncDisposable {
  /** For people. */
  readonly title: string
  /** Where an AppView finds it. */
  readonly place: AppViewNetwork
  /** Goes on writing, to its end or until the signal is aborted. Called once what was there before is indexed. */
  write(signal: AbortSignal): Promise<void>
  /** Sequence number of its newest event. */
  head(): number
}

export interface RunAppViewOptions extends Pick<AppViewOptions, 'set' | 'databaseUrl' | 'store'> {
  /** Its schema, its log, and its folder in `.millrace` are called so: letters, digits and underscores. */
  name: string
  /** A sentence for `--help`. */
  description: string
  /** What answers HTTP requests of this machine. It is asked for once the tables are there. */
  serve(appview: AppView): RequestListener
  /** Where `--port` is not given. @default 4100 */
  port?: number
  /**
   * A network for whoever names no relay; `ends` says whether it has to stop writing by itself.
   * @default none: `--relay` has to be given
   */
  simulate?: ((options: { ends: boolean }) => Promise<SimulatedSource>) | undefined
}

/**
 * The whole life of an AppView's process: its options and environment (`--help` says which), its pipeline, its server and
 * its log, until Ctrl-C or SIGTERM, or with `--exit-when-idle` until all is indexed. A second signal ends it at once.
 * @returns the exit code: 0 for a good end, 1 for a failure, 2 for options or an environment that do not hold.
 */
export async function runAppView(options: RunAppViewOptions): Promise<number> {
  const say = (text: string): void => void process.stderr.write(`${options.name}: ${text}\n`)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    const commandLine = readOptions(process.argv.slice(2), options)
    if (commandLine === 'help') process.stdout.write(helpOf(options))
    else await run(options, commandLine, say, stop)
    return 0
  } catch (error) {
    say(describeError(error))
    return error instanceof ConfigError ? 2 : 1
  }
}

async function run(
  { name, serve, simulate, ...parts }: RunAppViewOptions,
  { relay, data, port, exitWhenIdle, json }: CommandLine,
  say: (text: string) => void,
  stop: AbortController,
): Promise<void> {
  const { signal } = stop
  await using resources = new ResourceStack()
  const simulation = relay === undefined ? resources.use(await simulate!({ ends: exitWhenIdle })) : undefined
  const folder = data ?? (simulation ? await temporaryFolder(name, resources) : path.join('.millrace', name))
  await mkdir(folder, { recursive: true })
  const log = createWriteStream(path.join(folder, `${name}.log`), { flags: 'a' })
  const appview = resources.use(
    await openAppView({
      ...parts,
      network: simulation?.place ?? networkOf(relay!),
      folder,
      schema: name,
      logger: createLogger({ name, destination: log }),
      onProgress: say,
    }),
  )
  const server = resources.use(await serveHttp(serve(appview), port))
  const title = simulation?.title ?? relay!
  // One of its own has no password, and is there to be looked into.
  const rows = parts.databaseUrl === undefined ? appview.databaseUrl : redact(appview.databaseUrl)
  say(`${title}; rows in ${rows}, schema ${name}`)
  say(`open ${server.url}`)

  const running = appview.run(signal)
  const followed = follow()
  await Promise.race([running, followed])
  if (exitWhenIdle) stop.abort()
  await Promise.all([running, followed])
  if (!exitWhenIdle) return
  const summary = await summarize(appview, title)
  process.stdout.write(json ? `${JSON.stringify(summary, undefined, 2)}\n` : renderSummary(summary))

  async function follow(): Promise<void> {
    await appview.indexed(signal)
    await simulation?.write(signal)
    await appview.indexed(signal, simulation?.head())
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

async function temporaryFolder(name: string, resources: ResourceStack): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `${name}-`))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  return folder
}
