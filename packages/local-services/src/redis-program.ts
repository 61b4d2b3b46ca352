import { chmod, mkdir, readdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { sameAccount } from './account.ts'
import { defaultCacheFolder } from './cache-folder.ts'
import { LocalServiceError } from './errors.ts'
import { makeOnce } from './make-once.ts'
import { findProgram, isProgram, run } from './programs.ts'

/** Where a Redis or a Valkey is. */
export interface RedisProgram {
  readonly path: string
  /** Set when its libraries came with it. */
  readonly libraries?: string
}

export interface RedisProgramOptions {
  /** Told of steps that take long enough to be noticed. */
  onProgress?: (text: string) => void
  /** Where the program is unpacked to. @default $XDG_CACHE_HOME/millrace or ~/.cache/millrace */
  cacheFolder?: string
}

/**
 * Finds a Redis: `redis-server` or `valkey-server` on PATH, else Debian's package unpacked in the cache, which needs no
 * root and changes nothing else.
 *
 * @throws {LocalServiceError} saying how to get one.
 */
export async function findRedis(options: RedisProgramOptions = {}): Promise<RedisProgram> {
  const { onProgress = () => undefined, cacheFolder = defaultCacheFolder(sameAccount) } = options
  const installed = await findProgram('redis-server', 'valkey-server')
  if (installed) return { path: installed }
  const folder = path.join(cacheFolder, `redis-debian-${process.arch}`)
  const program = path.join(folder, 'usr/bin/redis-server')
  if (!(await isProgram(program))) await fromDebian(folder, onProgress)
  return { path: program, libraries: await libraryFolders(folder) }
}

async function fromDebian(folder: string, onProgress: (text: string) => void): Promise<void> {
  if (!(await findProgram('apt-get')) || !(await findProgram('dpkg'))) throw noRedis()
  try {
    await makeOnce(folder, async (draft) => {
      onProgress(`Unpacking Debian's Redis into ${folder}`)
      await unpack(draft)
    })
  } catch (cause) {
    throw noRedis(cause as Error)
  }
}

function noRedis(cause?: Error): LocalServiceError {
  const ways =
    'No Redis: set REDIS_URL, or install one (Debian: apt-get install -y redis-server; macOS: brew install redis; Docker: docker run -d -p 6379:6379 redis:7).'
  if (cause === undefined) return new LocalServiceError('Redis', ways)
  const output = cause.message.trim().split('\n')
  return new LocalServiceError('Redis', `${ways} Unpacking Debian's package failed:`, { cause, output })
}

async function unpack(draft: string): Promise<void> {
  const apt = path.join(draft, 'apt')
  const archives = path.join(apt, 'cache/archives')
  await mkdir(path.join(apt, 'lists/partial'), { recursive: true })
  await mkdir(path.join(archives, 'partial'), { recursive: true })
  const settings = {
    'Dir::State': apt,
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': path.join(apt, 'cache'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const aptGet = (...args: string[]) => run('apt-get', [...flags, ...args], { cwd: archives })
  // A source that cannot be reached fails the update, though the others may be all that is needed.
  await aptGet('update').catch(() => undefined)
  // redis-tools has the program: redis-check-rdb is the server under another name, without the server's service files.
  const packages = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1']
  if (!(await hasSsl())) packages.push('libssl3')
  await aptGet('download', ...packages)
  for (const file of await readdir(archives))
    if (file.endsWith('.deb')) await run('dpkg', ['-x', path.join(archives, file), draft])
  await symlink('redis-check-rdb', path.join(draft, 'usr/bin/redis-server'))
  await run('rm', ['-rf', apt, path.join(draft, 'usr/share')])
  await chmod(draft, 0o755)
}

async function hasSsl(): Promise<boolean> {
  const { stdout } = await run('ldconfig', ['-p']).catch(() => run('/sbin/ldconfig', ['-p']))
  return stdout.includes('libssl.so.3')
}

async function libraryFolders(folder: string): Promise<string> {
  const lib = path.join(folder, 'usr/lib')
  return (await readdir(lib)).map((name) => path.join(lib, name)).join(path.delimiter)
}
