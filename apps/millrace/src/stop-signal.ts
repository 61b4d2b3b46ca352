/** The second signal is for those who cannot wait; one that comes at once is the same Ctrl-C, handed on by a parent. */
const SAME_SIGNAL_MS = 1_000
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Aborted by Ctrl-C and by SIGTERM, so that a command can finish what it has in hand; the next one ends it at once. */
export function stopSignal(): Disposable & { signal: AbortSignal } {
  const stop = new AbortController()
  let stoppedAt: number | undefined
  const onSignal = (): void => {
    if (stoppedAt !== undefined && performance.now() - stoppedAt > SAME_SIGNAL_MS) process.exit(130)
    stoppedAt ??= performance.now()
    stop.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
