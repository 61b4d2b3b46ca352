import { hash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { FuzzFailure } from './run-target.ts'

/** Inputs that failed once: `<target>-<hash>.bin`. They are tried before all others, for ever. */
const folder = path.join(import.meta.dirname, 'regressions')

export async function readRegressions(target: string): Promise<{ file: string; input: Buffer }[]> {
  const files = await readdir(folder).catch(() => [])
  const own = files.filter((file) => file.startsWith(`${target}-`)).sort()
  return Promise.all(own.map(async (file) => ({ file, input: await readFile(path.join(folder, file)) })))
}

/** Keeps what failed, to be committed with what mends it. */
export async function keepFailure({ target, input }: Pick<FuzzFailure, 'target' | 'input'>): Promise<string> {
  const file = path.join(folder, `${target}-${hash('sha256', input).slice(0, 16)}.bin`)
  await mkdir(folder, { recursive: true })
  await writeFile(file, input)
  return file
}
