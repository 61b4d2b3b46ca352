import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { silentLogger, type Logger } from '@millrace/stream-protocol'
import { createClient, ErrorReply } from 'redis'
import { isTransient, RedisAwayError } from './errors.ts'
import { persist } from './persist.ts'
import type { Reply } from './replies.ts'

export interface ConnectRedisOptions {
  /** `redis://[user:password@]host[:port][/database]`, or `rediss://…` for TLS. */
  url: string
  logger?: Logger
  /** Shown by CLIENT LIST. @default 'millrace' */
  name?: string
  /** How long the first connection may take, in milliseconds. Later ones are tried for ever. @default 30_000 */
  waitMs?: number
  /** After this a command without an answer counts as lost, and the connection is replaced. @default 30_000 */
  commandTimeoutMs?: number
  /** Whether to connect again when the connection is lost. @default true */
  reconnect?: boolean
  /** Ends the wait for the first connection. */
  signal?: AbortSignal
  /**
   * Gives the connection also when Redis is away for all of `waitMs`: commands fail until it is there. For those who
   * have something to say meanwhile. @default false
   */
  mayBeAway?: boolean
}

/** A Lua script, known to Redis by its hash once it has been sent. */
export class RedisScript {
  readonly source: string
  readonly sha1: string

  constructor(source: string) {
    this.source = source
    this.sha1 = createHash('sha1').update(source).digest('hex')
  }
}

/** `host` or `host:port`, as `REDIS_HOST` has it, as a URL. The port is 6379 unless given. */
export function redisUrlFromHost(host: string): string {
  const bareIpv6 = !host.startsWith('[') && host.split(':').length > 2
  const url = new URL(`redis://${bareIpv6 ? `[${host}]` : host}`)
  url.port ||= '6379'
  return url.href
}

/** The URL for people and logs: without password, query and fragment (hazard M9). */
export function redactRedisUrl(url: string): string {
  const shown = new URL(url)
  if (shown.password) shown.password = '***'
  shown.search = ''
  shown.hash = ''
  return shown.href
}

/**
 * Connects, and asks once to see that the credentials hold.
 * @throws {RedisAwayError} when Redis could not be reached within `waitMs`, unless it may be away. A refusal (wrong
 * password) rejects at once.
 */
export async function connectRedis(options: ConnectRedisOptions): Promise<RedisConnection> {
  const { protocol } = new URL(options.url)
  if (protocol !== 'redis:' && protocol !== 'rediss:')
    throw new TypeError(`a Redis URL starts with redis:// or rediss://, not ${protocol}//`)
  const { waitMs = 30_000, signal, logger = silentLogger, mayBeAway = false } = options
  const timeout = AbortSignal.timeout(waitMs)
  const connection = new RedisConnection(options)
  try {
    const ended = signal ? AbortSignal.any([signal, timeout]) : timeout
    await connection.open(ended)
    await persist(() => connection.command(['PING']), { what: 'use Redis', logger, signal: ended })
  } catch (error) {
    await connection.close()
    if (mayBeAway && timeout.aborted && signal?.aborted !== true) return RedisConnection.whileAway(options)
    throw error
  }
  return connection
}

function createRespClient(url: string, name: string, nextDelay: (retries: number, cause: Error) => number | false) {
  return createClient({
    url,
    name,
    RESP: 2,
    maintNotifications: 'disabled',
    // While Redis is away commands fail at once and their callers wait: a queue here would grow without bound, and
    // would send later what its caller has given up (hazard S13).
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    // The client's own timeout covers only the time before a command is sent.
    commandOptions: { timeout: 0 },
    socket: { connectTimeout: 5_000, reconnectStrategy: nextDelay },
  })
}

type Client = ReturnType<typeof createRespClient>

/** Repeats of one error are logged at most this often. */
const LOG_EVERY_MS = 30_000

/**
 * A connection to Redis that comes back by itself, and over which every command ends: with its reply, with what Redis
 * said against it, or with a `RedisAwayError` after a bounded time. It sends nothing twice.
 */
export class RedisConnection implements AsyncDisposable {
  /** Where it goes, without the password. */
  readonly location: string
  readonly #options: Required<Omit<ConnectRedisOptions, 'signal' | 'waitMs' | 'mayBeAway'>>
  readonly #logger: Logger
  #client: Client
  #closed = false
  /** What Redis says against us may change: a password is rotated, and we are told last. */
  #isTriedForEver = false
  #lastError: unknown
  #onClose: () => void = () => undefined
  #muted = { message: '', count: 0, until: 0 }

  constructor({
    url,
    logger = silentLogger,
    name = 'millrace',
    commandTimeoutMs = 30_000,
    reconnect = true,
  }: ConnectRedisOptions) {
    this.#options = { url, logger, name, commandTimeoutMs, reconnect }
    this.location = redactRedisUrl(url)
    this.#logger = logger.child({ component: 'redis', redis: this.location })
    this.#client = this.#create()
  }

  /** Goes on trying in the background, whatever Redis says. */
  static whileAway(options: ConnectRedisOptions): RedisConnection {
    const connection = new RedisConnection(options)
    connection.#isTriedForEver = true
    connection.#connect()
    return connection
  }

  /** Resolves with the first connection. `connectRedis` has done it. */
  async open(signal: AbortSignal): Promise<void> {
    const destroy = (): void => this.#client.destroy()
    signal.addEventListener('abort', destroy, { once: true })
    try {
      signal.throwIfAborted()
      await this.#client.connect()
    } catch (error) {
      const cause = this.#lastError ?? error
      throw new RedisAwayError(`cannot reach Redis at ${this.location}: ${messageOf(cause)}`, { cause })
    } finally {
      signal.removeEventListener('abort', destroy)
    }
  }

  /**
   * Sends one command.
   * @throws {RedisAwayError} when the connection is or gets lost, or no answer came in time.
   * @throws {ErrorReply} (of `redis`) with what Redis said.
   */
  async command(args: readonly string[], { timeoutMs = this.#options.commandTimeoutMs } = {}): Promise<Reply> {
    const client = this.#client
    const timer = setTimeout(() => this.#renew(client), timeoutMs)
    try {
      return await client.sendCommand<Reply>(args)
    } catch (error) {
      // What Redis said is for the caller; everything else is about the connection.
      if (error instanceof ErrorReply || this.#closed) throw error
      throw new RedisAwayError(`lost Redis at ${this.location} during ${args[0]}: ${messageOf(error)}`, {
        cause: error,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Runs a script as one atomic step. It is sent whole only when Redis does not know it. */
  async script(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.command(['EVALSHA', script.sha1, ...rest])
    } catch (error) {
      if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error
      return await this.command(['EVAL', script.source, ...rest])
    }
  }

  /**
   * A connection of its own for blocking reads, which would hold up everything else on a shared one. It does not come
   * back when it is lost, and it ends when the signal is aborted.
   */
  async dedicated(name: string, signal: AbortSignal): Promise<RedisConnection> {
    const connection = new RedisConnection({ ...this.#options, name, reconnect: false })
    const end = (): void => connection.#destroy()
    signal.addEventListener('abort', end, { once: true })
    connection.#onClose = () => signal.removeEventListener('abort', end)
    try {
      await connection.open(signal)
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  /** Ends the connection after the commands in flight, or after two seconds. Harmless when it is closed. */
  async close(): Promise<void> {
    this.#closed = true
    this.#onClose()
    if (!this.#client.isOpen) return
    if (!this.#client.isReady || !this.#options.reconnect) return this.#client.destroy()
    // Commands in flight get their replies, if they come soon.
    await Promise.race([this.#client.close(), wait(2_000, undefined, { ref: false })])
    if (this.#client.isOpen) this.#client.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #destroy(): void {
    this.#closed = true
    if (this.#client.isOpen) this.#client.destroy()
  }

  #nextDelay(retries: number, cause: Error): number | false {
    if (!this.#options.reconnect) return false
    // At first a wrong password stays wrong.
    if (cause instanceof ErrorReply && !isTransient(cause) && !this.#isTriedForEver) return false
    return Math.min(5_000, 100 * 2 ** Math.min(retries, 10)) * (0.5 + Math.random() / 2)
  }

  #create(): Client {
    const { url, name } = this.#options
    const client = createRespClient(url, name, (retries, cause) => this.#nextDelay(retries, cause))
    // A server that takes connections and says nothing would hold up the greeting, and with it all that follows.
    let greeting: NodeJS.Timeout | undefined
    client.on('connect', () => {
      greeting = setTimeout(() => this.#renew(client), this.#options.commandTimeoutMs)
    })
    client.on('error', (error: unknown) => {
      clearTimeout(greeting)
      this.#onError(error)
    })
    client.on('ready', () => {
      clearTimeout(greeting)
      this.#onReady()
    })
    client.on('end', () => clearTimeout(greeting))
    return client
  }

  /** A peer that went away without a word leaves the socket open for many minutes: nobody but us will end it. */
  #renew(client: Client): void {
    if (this.#closed || client !== this.#client) return
    if (!this.#options.reconnect) return client.destroy()
    this.#logger.warn({}, 'Redis does not answer: connecting anew')
    this.#client = this.#create()
    client.destroy()
    this.#connect()
  }

  /** Failures reach the error listener; the client goes on trying. */
  #connect(): void {
    this.#client.connect().catch((error: unknown) => this.#onError(error))
  }

  #onReady(): void {
    if (this.#lastError) this.#logger.info({}, 'Redis is back')
    this.#isTriedForEver = true
    this.#lastError = undefined
    this.#muted = { message: '', count: 0, until: 0 }
  }

  #onError(error: unknown): void {
    this.#lastError = error
    // Who uses a connection that does not come back sees its commands fail, and logs that.
    if (this.#closed || !this.#options.reconnect) return
    const message = messageOf(error)
    const muted = this.#muted
    if (message === muted.message && performance.now() < muted.until) {
      muted.count += 1
      return
    }
    const repeats = message === muted.message ? muted.count : 0
    this.#muted = { message, count: 0, until: performance.now() + LOG_EVERY_MS }
    this.#logger.warn({ err: error, repeats }, 'Redis is away')
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
