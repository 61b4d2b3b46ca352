import { mkdtemp, readdir, readlink, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isAlive } from './other-process.ts'

const MEMORY_FOLDER = '/dev/shm'
/** Docker gives 64 MiB of it unless told otherwise: too little for a database. */
const ENOUGH_MEMORY_BYTES = 2 * 1024 ** 3

/** Makes a folder for a service that keeps nothing: in memory where there is plenty, if that is wanted. */
export async function temporaryFolder(name: string, inMemory: boolean): Promise<string> {
  const parent = inMemory && (await hasRoom(MEMORY_FOLDER)) ? MEMORY_FOLDER : tmpdir()
  const prefix = `${name}-${await processSpace()}-`
  await removeOrphans(parent, prefix)
  return mkdtemp(path.join(parent, `${prefix}${process.pid}-`))
}

async function hasRoom(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: 0, bsize: 0 }))
  return bavail * bsize >= ENOUGH_MEMORY_BYTES
}

/** Process ids say nothing about processes of other containers that share the folder. */
async function processSpace(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '')
  return /\d+/.exec(namespace)?.[0] ?? '0'
}

/** A process that was killed leaves its folder behind: the next one clears it away. */
async function removeOrphans(parent: string, prefix: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix))
  const orphans = names.filter((name) => !isAlive(Number.parseInt(name.slice(prefix.length), 10)))
  // Those of other users stay: removing them fails, and is theirs to do.
  await Promise.allSettled(orphans.map((name) => rm(path.join(parent, name), { recursive: true, force: true })))
}
