/**
 * Tells the readers of a stream in this process that something was appended. Readers in other processes are not
 * reached: they look again by themselves.
 */
const waiting = new Map<string, Set<() => void>>()

const keyOf = (file: string, stream: string): string => `${file}\0${stream}`

/** To be called once an append is committed. */
export function wakeReaders(file: string, stream: string): void {
  for (const wake of waiting.get(keyOf(file, stream)) ?? []) wake()
}

/**
 * Resolves at the next append, after `mostMs`, or when the signal is aborted, whatever comes first. It listens from the
 * moment of the call: a caller that looked into the stream in the same turn of the event loop misses nothing.
 */
export async function nextAppend(file: string, stream: string, mostMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const key = keyOf(file, stream)
  const { promise, resolve } = Promise.withResolvers<void>()
  const wake = (): void => resolve()
  const readers = waiting.get(key) ?? new Set()
  waiting.set(key, readers.add(wake))
  const timer = setTimeout(wake, mostMs)
  signal.addEventListener('abort', wake, { once: true })
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', wake)
    readers.delete(wake)
    if (readers.size === 0) waiting.delete(key)
  }
}
