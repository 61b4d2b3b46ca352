import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { handOver, isPassable, unprivilegedAccount, type Account } from './account.ts'
import { defaultCacheFolder } from './cache-folder.ts'
import { LocalServiceError } from './errors.ts'
import { freePort } from './free-port.ts'
import { makeOnce } from './make-once.ts'
import { isAlive, isRunning, readText } from './other-process.ts'
import { findPostgres, type PostgresProgram } from './postgres-program.ts'
import { commandLine, run } from './programs.ts'
import { ServiceProcess, type ServiceLogger } from './service-process.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface PostgresOptions {
  /**
   * Where the data is kept; created when absent. Without it the data lives in a temporary folder until
   * `close`, in memory (/dev/shm) where it need not be durable and 2 GiB are free.
   */
  folder?: string
  /**
   * True: what was committed survives the loss of power. False: it survives nothing, and everything is faster.
   * @default true with a folder, false without
   */
  durable?: boolean
  /** @default any free port of 127.0.0.1 */
  port?: number
  /** Server settings by name, as in postgresql.conf. They win over ours. */
  settings?: Readonly<Record<string, string>>
  /** Gets what the server writes. */
  logger?: ServiceLogger
  /** Told of steps that take long enough to be noticed. */
  onProgress?: (text: string) => void
  /** Where the program is unpacked to. @default $XDG_CACHE_HOME/millrace or ~/.cache/millrace */
  cacheFolder?: string
}

/** A Postgres that runs. `await using` ends it; so does the end of this process, however it comes. */
export interface LocalPostgres extends AsyncDisposable {
  /** Of the database `postgres`, for its superuser, e.g. `postgres://postgres@127.0.0.1:40123/postgres`. */
  readonly url: string
  /** Of the program, e.g. `18.4`. */
  readonly version: string
  /** Where the data is. */
  readonly folder: string
  /** True when a server ran on this folder already. It is used, and `close` leaves it to whoever started it. */
  readonly joined: boolean
  /** Ends the server after the statements in hand, and removes a temporary folder. */
  close(): Promise<void>
}

const durableSettings = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '256MB',
  max_wal_size: '1GB',
  // A batch of the indexer locks each repo and each thread that it touches.
  max_locks_per_transaction: '256',
}
const volatileSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
}

/**
 * Starts a Postgres of our own on 127.0.0.1, without root, Docker or an installed server. It ends with the process
 * that started it, also when that is killed.
 *
 * @throws {LocalServiceError} saying what is missing, or with the last words of the server.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<LocalPostgres> {
  const { durable = options.folder !== undefined, onProgress = () => undefined } = options
  const account = await unprivilegedAccount()
  const program = await findPostgres(options.cacheFolder ?? defaultCacheFolder(account), onProgress)
  const { folder, remove } = await dataFolder(options.folder, account, durable)
  try {
    await createCluster({ folder, program, account, durable, onProgress })
    const { port, server } = await startOrJoin({ options, folder, program, account, durable })
    const close = async (): Promise<void> => {
      await server?.stop()
      await remove()
    }
    return {
      url: urlOf(port),
      version: program.version,
      folder,
      joined: server === undefined,
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * The URL of the server that `startPostgres` has started on this folder, in another process, and that still runs;
 * undefined when there is none. Starts and creates nothing.
 */
export async function findRunningPostgres(folder: string): Promise<string | undefined> {
  const running = await runningServer(await placeOf(path.resolve(folder), await unprivilegedAccount()))
  return running && urlOf(running.port)
}

/** Of the database `postgres`, for its superuser. */
function urlOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

async function dataFolder(
  wanted: string | undefined,
  account: Account,
  durable: boolean,
): Promise<{ folder: string; remove: () => Promise<void> }> {
  if (wanted === undefined) {
    const parent = await temporaryFolder('millrace-postgres', !durable)
    await handOver(parent, account)
    return { folder: path.join(parent, 'data'), remove: () => rm(parent, { recursive: true, force: true }) }
  }
  const remove = () => Promise.resolve()
  const folder = path.resolve(wanted)
  await mkdir(path.dirname(folder), { recursive: true })
  return { folder: await placeOf(folder, account), remove }
}

/** Where the data of a folder really is. */
async function placeOf(folder: string, account: Account): Promise<string> {
  if (!account.owner || (await isPassable(path.dirname(folder)))) return folder
  // The account cannot get there (a home of root, for one): the data lies where it can, one folder for each path.
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return path.join('/var/lib/millrace', name)
}

async function createCluster(cluster: {
  folder: string
  program: PostgresProgram
  account: Account
  durable: boolean
  onProgress: (text: string) => void
}): Promise<void> {
  const { folder, program, account, durable, onProgress } = cluster
  await makeOnce(folder, async (draft) => {
    onProgress(`Creating a Postgres ${program.version} database in ${folder}`)
    await handOver(draft, account)
    const flags = ['-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions']
    if (!durable) flags.push('--no-sync')
    const { file, args } = commandLine(account.prefix, program.initdb, [...flags, '-D', draft])
    try {
      await run(file, args, { cwd: '/', env: environment(), ...account.owner })
    } catch (cause) {
      throw new LocalServiceError('Postgres', `cannot create a database in ${folder}`, { cause, output: lines(cause) })
    }
  })
  if (!(await readText(path.join(folder, 'PG_VERSION'))))
    throw new LocalServiceError('Postgres', `${folder} holds something else than a Postgres database`)
}

function lines(error: unknown): string[] {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
  return text.trim().split('\n').slice(-20)
}

/** Nothing of ours gets through: PGPORT and its like would change what the server does. */
function environment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC' }
}

async function startOrJoin(start: {
  options: PostgresOptions
  folder: string
  program: PostgresProgram
  account: Account
  durable: boolean
}): Promise<{ port: number; server?: ServiceProcess }> {
  const { options, folder, program, account, durable } = start
  for (let attempt = 1; ; attempt++) {
    const running = await runningServer(folder)
    if (running) return running
    const port = options.port ?? (await freePort())
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      max_connections: '200',
      ...(durable ? durableSettings : volatileSettings),
      ...options.settings,
    }
    try {
      const server = await ServiceProcess.start({
        service: 'Postgres',
        program: program.postgres,
        args: ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
        env: environment(),
        account,
        stopSignal: 'SIGINT', // a fast shutdown: it does not wait for clients to leave
        isReady: (line) => line.includes('database system is ready to accept connections'),
        logger: options.logger,
      })
      return { port, server }
    } catch (error) {
      // Another start on this folder was faster, or another program on this port: look again.
      const output = error instanceof LocalServiceError ? error.output.join('\n') : ''
      const lostFolder = output.includes('postmaster.pid')
      const lostPort = options.port === undefined && output.includes('could not bind')
      if (attempt >= 10 || !(lostFolder || lostPort)) throw error
      await wait(50 * attempt)
    }
  }
}

/** The server that holds this folder, once it is ready; undefined when there is none. */
async function runningServer(folder: string): Promise<{ port: number } | undefined> {
  const file = path.join(folder, 'postmaster.pid')
  for (;;) {
    const [pid, , , port, , , , status] = (await readText(file)).split('\n').map((line) => line.trim())
    if (!isAlive(Number(pid))) return undefined // the server removes what a dead one left
    if (!(await isRunning(Number(pid), /postgres/))) {
      // The id belongs to another program now. A server would take it for one like itself, and not start.
      await rm(file, { force: true })
      return undefined
    }
    if (port && status === 'ready') return { port: Number(port) }
    await wait(50)
  }
}
