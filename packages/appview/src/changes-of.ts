import { sleep } from '@millrace/stream-protocol'

/**
 * What `read` gives, at once and then whenever it has become something else, until the signal is aborted: for pages that
 * show rows live.
 * @param everyMs how often it is read, in milliseconds. @default 500
 * @throws whatever `read` throws.
 */
export async function* changesOf<T>(
  read: () => Promise<T>,
  signal: AbortSignal,
  everyMs = 500,
): AsyncGenerator<T, void, void> {
  let last: string | undefined
  for (; !signal.aborted; await sleep(everyMs, signal)) {
    const value = await read()
    const text = JSON.stringify(value)
    if (text !== last) yield value
    last = text
  }
}
