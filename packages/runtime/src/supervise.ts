import type { Logger, Meter } from '@millrace/stream-protocol'
import { helpText } from './config-docs.ts'
import { ConfigError } from './config-error.ts'
import { readConfig, type ConfigOf, type Definition, type Environment } from './config.ts'
import { startHealthServer, type HealthServer } from './health-server.ts'
import { Health } from './health.ts'
import { isAbort } from './is-abort.ts'
import { createLogger } from './logger.ts'
import { createMeter, createRegistry, type Registry } from './meter.ts'
import { describeError } from './redact.ts'
import { ServiceManager } from './service-manager.ts'
import { unknownVariables } from './unknown-variables.ts'
import { sharedVariableNames, type processVariables } from './variables.ts'

/** What every definition of a process includes. */
export type ProcessDefinition = Definition & ReturnType<typeof processVariables>

/** What `main` is given. */
export interface ProcessContext<D extends Definition> {
  readonly config: ConfigOf<D>
  /** The environment that the configuration was read from, for `chooseStreams`. */
  readonly env: Environment
  readonly logger: Logger
  readonly meter: Meter
  readonly registry: Registry
  /** Add the checks of `/readyz` here. */
  readonly health: Health
  /** Aborted by SIGTERM and SIGINT. Resolve soon after; 30 s later the process ends anyway (hazard M10). */
  readonly signal: AbortSignal
  readonly version: string
}

/** The work of a process. It is done when it resolves, and is to resolve soon after `signal` is aborted. */
export type Main<D extends Definition> = (context: ProcessContext<D>) => Promise<void>

/** A process as far as it is needed here, so that tests need none. */
export interface Host {
  /** Arguments after the script. */
  readonly args: readonly string[]
  readonly env: Environment
  readonly version: string
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  on(event: HostEvent, listener: (value: unknown) => void): void
  off(event: HostEvent, listener: (value: unknown) => void): void
  /** Ends the process at once. */
  exit(code: number): void
}

export type HostEvent = StopSignal | 'uncaughtException' | 'unhandledRejection'
type StopSignal = 'SIGTERM' | 'SIGINT'

/** What a process ends with, by why. */
export const exitCodes = { ok: 0, failed: 1, badConfiguration: 2, SIGINT: 130, SIGTERM: 143 } as const

export interface SuperviseOptions {
  /** @default 30_000 */
  stopMs?: number
  /**
   * Signals this soon after the first are taken as the same one: Ctrl-C reaches a process from the terminal and once
   * more from each parent that hands it on.
   * @default 1_000
   */
  sameSignalMs?: number
}

/** Runs `main` in its surroundings and resolves with the exit code. `runProcess` is this with the real process. */
export async function supervise<const D extends ProcessDefinition>(
  host: Host,
  name: string,
  definition: D,
  main: Main<D>,
  options: SuperviseOptions = {},
): Promise<number> {
  const complain = (line: string): void => void host.stderr.write(`${name}: ${line}\n`)
  const answered = answerArguments(host, name, definition, complain)
  if (answered !== undefined) return answered

  const refuse = (error: unknown): number => {
    if (!(error instanceof ConfigError)) throw error
    for (const problem of error.problems) complain(problem)
    return exitCodes.badConfiguration
  }
  let config: ConfigOf<D>
  try {
    config = readConfig(definition, host.env)
  } catch (error) {
    return refuse(error)
  }

  // The definition is only known by its upper bound here, which has these three.
  const { LOG_LEVEL, METRICS_PORT, METRICS_HOST } = config as unknown as ConfigOf<ReturnType<typeof processVariables>>
  const logger = createLogger({
    name,
    level: LOG_LEVEL,
    pretty: host.isTerminal,
    destination: host.stdout,
  })
  for (const warning of unknownVariables(definition, host.env, sharedVariableNames)) logger.warn({}, warning)

  const health = new Health()
  using stop = new StopSignals(host, logger, complain, health, options)
  const ended = new AbortController()
  const manager = ServiceManager.of({ env: host.env, health, logger })
  const told = manager?.run(AbortSignal.any([stop.signal, ended.signal]))
  let server: HealthServer | undefined
  try {
    const registry = createRegistry()
    const meter = createMeter(registry)
    const { version, env } = host
    meter.gauge('millrace_build_info', 'Always 1', ['role', 'version']).set(1, { role: name, version })
    server = await startHealthServer({
      port: METRICS_PORT,
      host: METRICS_HOST,
      registry,
      health,
      title: `Millrace ${name} ${version}`,
    })
    logger.info({ port: server.port, version, pid: process.pid }, 'started: /metrics, /livez and /readyz are served')
    await main({ config, env, logger, meter, registry, health, signal: stop.signal, version })
    logger.info({}, 'ended')
    return exitCodes.ok
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error)
    // What was being opened when the signal came is allowed to say so.
    if (stop.signal.aborted && isAbort(error, stop.signal)) return exitCodes.ok
    logger.error({ err: error }, 'failed')
    complain(describeError(error))
    return exitCodes.failed
  } finally {
    ended.abort()
    await server?.[Symbol.asyncDispose]()
    await told
  }
}

function answerArguments(
  host: Host,
  name: string,
  definition: Definition,
  complain: (line: string) => void,
): number | undefined {
  const [argument] = host.args
  switch (argument) {
    case undefined:
      return undefined
    case '--help':
    case '-h':
      host.stdout.write(helpText({ command: `millrace-${name}`, definition }))
      return exitCodes.ok
    case '--version':
    case '-v':
      host.stdout.write(`${host.version}\n`)
      return exitCodes.ok
    default:
      complain(`unknown argument ${JSON.stringify(argument)}; --help lists the environment variables it reads`)
      return exitCodes.badConfiguration
  }
}

/** Turns signals and errors that nobody caught into the end of the process. */
class StopSignals implements Disposable {
  readonly #host: Host
  readonly #logger: Logger
  readonly #complain: (line: string) => void
  readonly #health: Health
  readonly #stopMs: number
  readonly #sameSignalMs: number
  readonly #controller = new AbortController()
  readonly #listeners: readonly (readonly [HostEvent, (value: unknown) => void])[]
  #stoppedAt: number | undefined
  #deadline: NodeJS.Timeout | undefined

  constructor(
    host: Host,
    logger: Logger,
    complain: (line: string) => void,
    health: Health,
    { stopMs = 30_000, sameSignalMs = 1_000 }: SuperviseOptions,
  ) {
    this.#host = host
    this.#logger = logger
    this.#complain = complain
    this.#health = health
    this.#stopMs = stopMs
    this.#sameSignalMs = sameSignalMs
    this.#listeners = [
      ['SIGTERM', () => this.#stop('SIGTERM')],
      ['SIGINT', () => this.#stop('SIGINT')],
      ['uncaughtException', (error) => this.#crash(error, 'an error was not caught')],
      ['unhandledRejection', (error) => this.#crash(error, 'a rejection was not handled')],
    ]
    for (const [event, listener] of this.#listeners) host.on(event, listener)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  #stop(signal: StopSignal): void {
    const now = performance.now()
    if (this.#stoppedAt === undefined) {
      this.#stoppedAt = now
      this.#logger.info({ signal }, 'stopping: the work in hand is finished first; a second signal ends it at once')
      this.#health.stopping()
      this.#deadline = setTimeout(() => {
        this.#complain(`did not stop within ${this.#stopMs / 1_000} s, ended`)
        this.#host.exit(exitCodes.failed)
      }, this.#stopMs)
      this.#controller.abort()
    } else if (now - this.#stoppedAt > this.#sameSignalMs) {
      this.#complain(`ended at once by a second ${signal}`)
      this.#host.exit(exitCodes[signal])
    }
  }

  /** The state of the process is unknown: it ends, and what was not committed comes again. */
  #crash(error: unknown, what: string): void {
    try {
      this.#logger.error({ err: error }, what)
      this.#complain(`${what}: ${describeError(error)}`)
    } finally {
      this.#host.exit(exitCodes.failed)
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline)
    for (const [event, listener] of this.#listeners) this.#host.off(event, listener)
  }
}
