import {
  InvalidEventError,
  isDid,
  isObject,
  readBackfillEvent,
  type BackfillEvent,
  type JsonObject,
} from '@millrace/stream-protocol'
import { retryAfterMs } from './host-url.ts'
import { allAccounts, readPlace, writePlace, type ListSteps } from './list-place.ts'

/** A page of `com.atproto.sync.listRepos` or `listReposByCollection`, as far as it can be used. */
export interface ListPage {
  /** Of repos that are listed by collection no revision is known: it is empty. */
  events: BackfillEvent[]
  rejected: RejectedRow[]
  isByCollection: boolean
  /** Opaque; null on the last page of all that is listed. */
  cursor: string | null
}

export interface RejectedRow {
  error: string
  did?: string
  /** The row as JSON. */
  payload: string
}

/** A page could not be had. It is asked for again, never left out (hazard B1). */
export class ListPageError extends Error {
  override readonly name = 'ListPageError'
  /** What `Retry-After` said, in milliseconds; 0 when nothing. */
  readonly retryAfterMs: number

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

const MAX_PAGE_BYTES = 16_000_000
/** Not Found and Not Implemented: so hosts answer that do not know a method. */
const MISSING: ReadonlySet<number> = new Set([404, 501])

export interface FetchPageOptions {
  /** With scheme. */
  host: string
  /** Of the page before; null for the first. */
  cursor: string | null
  limit: number
  /** What is listed. @default all accounts */
  steps?: ListSteps
  timeoutMs: number
  fetch: (
    url: URL,
    init: { headers: Record<string, string>; signal: AbortSignal; redirect: 'error' },
  ) => Promise<Response>
  signal: AbortSignal
}

/** @throws {ListPageError} for whatever stands between us and a page. */
export async function fetchPage(options: FetchPageOptions): Promise<ListPage> {
  const { host, limit, timeoutMs, signal, steps = allAccounts } = options
  const { step, cursor } = readPlace(steps, options.cursor)
  const collection = steps[step] ?? null
  const method = collection === null ? 'listRepos' : 'listReposByCollection'
  const url = new URL(`/xrpc/com.atproto.sync.${method}`, host)
  if (collection !== null) url.searchParams.set('collection', collection)
  url.searchParams.set('limit', String(limit))
  if (cursor !== null) url.searchParams.set('cursor', cursor)
  try {
    const response = await options.fetch(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      // It was an operator who named this host, and it does not name others.
      redirect: 'error',
    })
    if (!response.ok) {
      await response.body?.cancel()
      const { status, headers } = response
      const missing = MISSING.has(status) ? `, it does not seem to have ${method}` : ''
      throw new ListPageError(`cannot list repos of ${host}: HTTP status ${status}${missing}`, {
        retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
      })
    }
    const page = readPage(JSON.parse(await readBody(response)), host, collection !== null)
    if (page.cursor !== null && page.cursor === cursor)
      throw new ListPageError(`${host} answered with the cursor that it was asked for`)
    return { ...page, cursor: placeAfter(steps, step, page.cursor) }
  } catch (cause) {
    if (cause instanceof ListPageError) throw cause
    throw new ListPageError(`cannot list repos of ${host}`, { cause })
  }
}

function placeAfter(steps: ListSteps, step: number, cursor: string | null): string | null {
  if (cursor !== null) return writePlace(steps, { step, cursor })
  return step + 1 < steps.length ? writePlace(steps, { step: step + 1, cursor: null }) : null
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_PAGE_BYTES) throw new ListPageError(`a page has more than ${MAX_PAGE_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Reads a page that was parsed as JSON. Rows that are none are rejected one by one; inactive repos are events as others
 * (hazard B3).
 * @throws {ListPageError} when it is no page at all.
 */
function readPage(page: unknown, host: string, isByCollection: boolean): ListPage {
  if (!isObject(page) || !Array.isArray(page['repos']))
    throw new ListPageError(`${host} answered without a list of repos`)
  const events: BackfillEvent[] = []
  const rejected: RejectedRow[] = []
  for (const row of page['repos'] as unknown[]) {
    try {
      events.push(readRow(row, host, isByCollection))
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      const did = isObject(row) && isDid(row['did']) ? row['did'] : undefined
      rejected.push({ error: error.message, payload: JSON.stringify(row), ...(did !== undefined && { did }) })
    }
  }
  const { cursor } = page
  return { events, rejected, isByCollection, cursor: typeof cursor === 'string' && cursor !== '' ? cursor : null }
}

function readRow(row: unknown, host: string, isByCollection: boolean): BackfillEvent {
  if (!isObject(row)) throw new InvalidEventError('bad-row', 'a row is not an object')
  const fields: JsonObject = { did: row['did'], host, rev: isByCollection ? '' : row['rev'] }
  for (const name of ['status', 'active']) if (row[name] !== undefined && row[name] !== null) fields[name] = row[name]
  return readBackfillEvent(fields)
}
