import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDid } from '@millrace/stream-protocol'
import { ConfigError } from './config-error.ts'
import { describeError } from './redact.ts'

/**
 * The DIDs of a file, one first in each line, as in a CSV; empty lines and those that begin with `#` are passed over.
 * @param path `-` for standard input.
 * @param option that names the file, for people.
 * @throws {ConfigError} with the number of a line that has none, or when there is no such file.
 */
export async function* readDidLines(path: string, option: string): AsyncGenerator<string> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  // A file that cannot be read is told by the stream, and not by the lines.
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  failed.catch(() => undefined)
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
  for (let number = 1; ; number++) {
    const { done, value } = await Promise.race([lines.next(), failed]).catch((error: unknown) => {
      throw new ConfigError([`${option}: ${describeError(error)}`])
    })
    if (done) return
    const did = value.split(/[,;\s]/, 1)[0]?.replace(/^"(.*)"$/, '$1') ?? ''
    if (value.trim() === '' || value.startsWith('#')) continue
    if (!isDid(did)) throw new ConfigError([`${option}: line ${number} does not begin with a DID`])
    yield did
  }
}
