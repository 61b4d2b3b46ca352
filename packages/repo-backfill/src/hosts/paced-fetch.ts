import { NetworkError, type GuardedFetch, type GuardedFetchInit } from '@millrace/identity'
import { sleep } from '@millrace/stream-protocol'
import { HostBusyError, type HostPacer } from './host-pacer.ts'
import { RepoTurns } from './repo-turns.ts'

export interface PacedFetchOptions {
  fetch: GuardedFetch
  /** Says when hosts may be asked; the one that repos are fetched with, so that all of it counts together. */
  pacer: HostPacer
  /** See `HostPacer.take`. */
  priority: number
  /** Longer it does not wait for a turn, in milliseconds: it rejects with a `HostBusyError`. @default as long as it takes */
  maxWaitMs?: number
}

/** A fetch that waits for its turn at each host that it asks, redirects included, and tells what they answer. */
export function pacedFetch({
  fetch,
  pacer,
  priority,
  maxWaitMs = Number.POSITIVE_INFINITY,
}: PacedFetchOptions): GuardedFetch {
  const inTurn = async (url: string | URL, init: GuardedFetchInit): Promise<Response | HostBusyError> => {
    await using turns = new RepoTurns({ pacer, priority })
    try {
      await turns.reserve(new URL(url).origin)
      return await fetch(url, {
        ...init,
        beforeRequest: async (origin) => {
          await turns.take(origin)
          await init.beforeRequest?.(origin)
        },
        onAnswer: async (origin, answer) => {
          await turns.answered(origin, answer)
          await init.onAnswer?.(origin, answer)
        },
      })
    } catch (error) {
      if (error instanceof HostBusyError) return error
      if (error instanceof NetworkError) await turns.broke(error.origin)
      throw error
    }
  }
  return async (url, init = {}) => {
    for (let waitedMs = 0; ;) {
      // A request that waits for its turn takes up none of the time that its host has for an answer, and nobody's place.
      const outcome = await inTurn(url, init)
      if (!(outcome instanceof HostBusyError)) return outcome
      waitedMs += outcome.waitMs
      if (waitedMs > maxWaitMs) throw outcome
      await sleep(outcome.waitMs, init.signal)
      init.signal?.throwIfAborted()
    }
  }
}
