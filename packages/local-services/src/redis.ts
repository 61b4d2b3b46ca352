import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sameAccount } from './account.ts'
import { LocalServiceError } from './errors.ts'
import { freePort } from './free-port.ts'
import { isRunning, readText } from './other-process.ts'
import { findRedis, type RedisProgramOptions } from './redis-program.ts'
import { ServiceProcess, type ServiceLogger } from './service-process.ts'

export interface RedisOptions extends RedisProgramOptions {
  /**
   * Where the data is kept, as an append-only file written out once a second; created when absent. One server may use
   * it at a time. Without it nothing is kept.
   */
  folder?: string
  /** @default any free port of 127.0.0.1 */
  port?: number
  /** Server settings by name, as in redis.conf. They win over ours. */
  settings?: Readonly<Record<string, string>>
  /** Gets what the server writes. */
  logger?: ServiceLogger
}

/** A Redis that runs. `await using` ends it; so does the end of this process, however it comes. */
export interface LocalRedis extends AsyncDisposable {
  /** Such as `redis://127.0.0.1:40123`. */
  readonly url: string
  /** Such as `7.0.15`. */
  readonly version: string
  readonly pid: number
  /** Ends the server once its data is written. */
  close(): Promise<void>
}

/**
 * Starts a Redis of our own on 127.0.0.1, without root or Docker. It ends with the process that started it, also when
 * that is killed.
 *
 * @throws {LocalServiceError} saying what is missing, or with the last words of the server.
 */
export async function startRedis(options: RedisOptions = {}): Promise<LocalRedis> {
  const program = await findRedis(options)
  const folder = options.folder === undefined ? undefined : path.resolve(options.folder)
  if (folder !== undefined) await claimFolder(folder)
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const settings = {
      port: String(port),
      bind: '127.0.0.1',
      daemonize: 'no',
      save: '',
      dir: folder ?? tmpdir(),
      'maxmemory-policy': 'noeviction',
      appendonly: folder === undefined ? 'no' : 'yes',
      appendfsync: 'everysec',
      ...(folder !== undefined && { pidfile: pidFile(folder) }),
      ...options.settings,
    }
    try {
      const server = await ServiceProcess.start({
        service: 'Redis',
        program: program.path,
        args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
        env: {
          PATH: process.env['PATH'] ?? '',
          LC_ALL: 'C.UTF-8',
          TZ: 'UTC',
          ...(program.libraries !== undefined && { LD_LIBRARY_PATH: program.libraries }),
        },
        account: sameAccount,
        stopSignal: 'SIGTERM',
        isReady: (line) => line.includes('Ready to accept connections'),
        logger: options.logger,
      })
      return {
        url: `redis://127.0.0.1:${port}`,
        version: /version=(\d[\w.]*)/.exec(server.output.join('\n'))?.[1] ?? 'unknown',
        pid: server.pid,
        close: () => server.stop(),
        [Symbol.asyncDispose]: () => server.stop(),
      }
    } catch (error) {
      // Another program was faster on this port.
      const taken = error instanceof LocalServiceError && error.output.join('\n').includes('Address already in use')
      if (attempt >= 10 || options.port !== undefined || !taken) throw error
    }
  }
}

/** Two servers would write into the same files, and Redis itself does not notice. */
async function claimFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const pid = Number(await readText(pidFile(folder)))
  if (await isRunning(pid, /redis|valkey/))
    throw new LocalServiceError('Redis', `${folder} is in use by the Redis with process id ${pid}`)
}

function pidFile(folder: string): string {
  return path.join(folder, 'redis.pid')
}
