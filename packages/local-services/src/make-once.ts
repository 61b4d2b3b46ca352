import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { errorCode } from './errors.ts'

/**
 * Makes a folder unless it is there and holds something. It appears whole or not at all, also when several processes
 * make it at once: each fills a draft beside it, and the first to rename wins.
 */
export async function makeOnce(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  if (await holdsSomething(folder)) return
  await mkdir(path.dirname(folder), { recursive: true })
  const draft = await mkdtemp(`${folder}.`)
  try {
    await make(draft)
    await rename(draft, folder)
  } catch (error) {
    // Another process was first, and what it made is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function holdsSomething(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}
