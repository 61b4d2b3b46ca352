import { sleep, type Loop } from '@millrace/stream-protocol'
import type { Network } from './network.ts'
import type { Pipeline } from './pipeline.ts'

/** Looks in a row that have to find nothing to do: one alone may fall between two steps. */
const LOOKS = 3

/** A loop beside those of a pipeline, with a signal that is aborted once all that was listed and streamed is indexed. */
export function idleWatch(network: Network, pipeline: Pipeline): Loop & { readonly signal: AbortSignal } {
  const done = new AbortController()
  return {
    name: 'idle-watch',
    signal: done.signal,
    async run(signal) {
      for (let idle = 0; idle < LOOKS && !signal.aborted; await sleep(100, signal))
        idle = (await isIdle(network, pipeline)) ? idle + 1 : 0
      done.abort()
    },
  }
}

/** Whether all repos that were listed are indexed. */
export async function isBackfilled(pipeline: Pipeline): Promise<boolean> {
  const { isListed, waiting } = await pipeline.status()
  return isListed && waiting.repos + waiting.events === 0
}

async function isIdle(network: Network, pipeline: Pipeline): Promise<boolean> {
  const { isListed, lastSeq, waiting } = await pipeline.status()
  const isRead = (lastSeq ?? -1) >= (network.head() ?? -1)
  return network.isQuiet() && isRead && isListed && waiting.repos + waiting.events + waiting.handles === 0
}
