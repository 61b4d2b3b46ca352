import type { BackfillQueue } from '@millrace/database'
import type { GuardedFetch } from '@millrace/identity'
import {
  Backoff,
  INGESTER_DONE,
  isDid,
  isObject,
  sleep,
  type CursorStore,
  type Logger,
  type Loop,
} from '@millrace/stream-protocol'

export interface CollectionListerOptions {
  relay: string
  collection: string
  fetch: GuardedFetch
  queue: Pick<BackfillQueue, 'add'>
  cursors: CursorStore
  /** Whether what is written from now on comes by the firehose. */
  isReady: () => boolean
  logger: Logger
}

export interface CollectionListerStatus {
  isDone: boolean
  /** By this process. */
  repos: number
}

/** Asks a relay for the accounts that have records of a collection, once, and has their repos fetched. */
export class CollectionLister implements Loop {
  readonly name = 'collection-lister'
  readonly #options: CollectionListerOptions
  readonly #status: CollectionListerStatus = { isDone: false, repos: 0 }

  constructor(options: CollectionListerOptions) {
    this.#options = options
  }

  status(): CollectionListerStatus {
    return { ...this.#status }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { relay, collection, queue, cursors, isReady, logger } = this.#options
    const key = `collection:${collection}:${relay}`
    const backoff = new Backoff({ minMs: 1_000, maxMs: 60_000 })
    while (!isReady() && !signal.aborted) await sleep(50, signal)
    let cursor = await cursors.get(key)
    while (cursor !== INGESTER_DONE && !signal.aborted) {
      try {
        const page = await this.#page(cursor, signal)
        await queue.add(page.dids)
        // After the repos are asked for: a page that is listed twice is harmless.
        await cursors.set(key, page.next)
        cursor = page.next
        this.#status.repos += page.dids.length
        backoff.reset()
      } catch (error) {
        logger.warn({ err: error }, 'cannot list repos now')
        await sleep(backoff.nextMs(), signal)
      }
    }
    this.#status.isDone = cursor === INGESTER_DONE
  }

  async #page(cursor: string | null, signal: AbortSignal): Promise<{ dids: string[]; next: string }> {
    const { relay, collection, fetch } = this.#options
    const url = new URL('/xrpc/com.atproto.sync.listReposByCollection', relay)
    url.search = new URLSearchParams({ collection, limit: '500', ...(cursor !== null && { cursor }) }).toString()
    const response = await fetch(url, { signal, limits: { maxBytes: 4_000_000 } })
    const page: unknown = await response.json()
    if (response.status !== 200 || !isObject(page) || !Array.isArray(page['repos']))
      throw new Error(`${relay} answers with status ${response.status}`)
    const repos = (page['repos'] as unknown[]).map((repo) => (isObject(repo) ? repo['did'] : undefined))
    const next = page['cursor']
    return {
      dids: repos.filter((did) => isDid(did)),
      next: typeof next === 'string' && next !== '' ? next : INGESTER_DONE,
    }
  }
}
