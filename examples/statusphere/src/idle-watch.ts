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
  const { lister, reposWaiting, eventsWaiting } = await pipeline.status()
  return lister.isDone && reposWaiting + eventsWaiting === 0
}

async function isIdle(network: Network, pipeline: Pipeline): Promise<boolean> {
  const { firehose, handlesWaiting } = await pipeline.status()
  const head = network.head()
  const isRead = head === undefined ? firehose.state === 'streaming' : (firehose.lastSeq ?? -1) >= head
  return network.isQuiet() && isRead && handlesWaiting === 0 && (await isBackfilled(pipeline))
}
