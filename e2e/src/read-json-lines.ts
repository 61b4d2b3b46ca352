import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'

/** The values of a packed file with one of them a line. */
export async function readJsonLines<T>(file: string): Promise<T[]> {
  const text = (await promisify(gunzip)(await readFile(file))).toString()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}
