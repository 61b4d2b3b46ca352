import { readXrpcError, type GuardedFetch } from '@millrace/identity'
import { isDid, isObject } from '@millrace/stream-protocol'

export interface ListByCollectionOptions {
  /** With scheme. */
  host: string
  collection: string
  fetch: GuardedFetch
  signal: AbortSignal
  /** @default 500 */
  limit?: number
}

const MAX_PAGE_BYTES = 4_000_000

/**
 * Pages of the accounts that have records of a collection, as a relay tells (`com.atproto.sync.listReposByCollection`).
 * @throws when the relay does not answer, or not with such a page.
 */
export async function* listByCollection(options: ListByCollectionOptions): AsyncGenerator<string[]> {
  const { host, collection, fetch, signal, limit = 500 } = options
  let cursor: string | undefined
  do {
    const url = new URL('/xrpc/com.atproto.sync.listReposByCollection', host)
    url.searchParams.set('collection', collection)
    url.searchParams.set('limit', String(limit))
    if (cursor !== undefined) url.searchParams.set('cursor', cursor)
    const response = await fetch(url, { signal, limits: { maxBytes: MAX_PAGE_BYTES } })
    if (response.status !== 200)
      throw new Error(`${host} answers with status ${response.status} ${(await readXrpcError(response)).slice(0, 100)}`)
    const page: unknown = await response.json()
    if (!isObject(page) || !Array.isArray(page['repos'])) throw new Error(`${host} answers without a list of repos`)
    const dids = (page['repos'] as unknown[]).map((repo) => (isObject(repo) ? repo['did'] : undefined))
    yield dids.filter((did) => isDid(did))
    const before = cursor
    cursor = typeof page['cursor'] === 'string' && page['cursor'] !== '' ? page['cursor'] : undefined
    if (cursor !== undefined && cursor === before)
      throw new Error(`${host} answers with the cursor that it was asked for`)
  } while (cursor !== undefined)
}
