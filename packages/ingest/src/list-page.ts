import {
  InvalidEventError,
  isDid,
  isObject,
  readBackfillEvent,
  type BackfillEvent,
  type JsonObject,
} from '@millrace/stream-protocol'
import { retryAfterMs } from './host-url.ts'

/** A page of `com.atproto.sync.listRepos`, as far as it can be used. */
export interface ListPage {
  events: BackfillEvent[]
  rejected: RejectedRow[]
  /** Opaque; null on the last page. */
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

export interface FetchPageOptions {
  /** With scheme. */
  host: string
  cursor: string | null
  limit: number
  timeoutMs: number
  fetch: (
    url: URL,
    init: { headers: Record<string, string>; signal: AbortSignal; redirect: 'error' },
  ) => Promise<Response>
  signal: AbortSignal
}

/** @throws {ListPageError} for whatever stands between us and a page. */
export async function fetchPage(options: FetchPageOptions): Promise<ListPage> {
  const { host, cursor, limit, timeoutMs, signal } = options
  const url = new URL('/xrpc/com.atproto.sync.listRepos', host)
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
      throw new ListPageError(`cannot list repos of ${host}: HTTP status ${response.status}`, {
        retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
      })
    }
    return readPage(JSON.parse(await readBody(response)), host)
  } catch (cause) {
    if (cause instanceof ListPageError) throw cause
    throw new ListPageError(`cannot list repos of ${host}`, { cause })
  }
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
function readPage(page: unknown, host: string): ListPage {
  if (!isObject(page) || !Array.isArray(page['repos']))
    throw new ListPageError(`${host} answered without a list of repos`)
  const events: BackfillEvent[] = []
  const rejected: RejectedRow[] = []
  for (const row of page['repos'] as unknown[]) {
    try {
      events.push(readRow(row, host))
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      const did = isObject(row) && isDid(row['did']) ? row['did'] : undefined
      rejected.push({ error: error.message, payload: JSON.stringify(row), ...(did !== undefined && { did }) })
    }
  }
  const { cursor } = page
  return { events, rejected, cursor: typeof cursor === 'string' && cursor !== '' ? cursor : null }
}

function readRow(row: unknown, host: string): BackfillEvent {
  if (!isObject(row)) throw new InvalidEventError('bad-row', 'a row is not an object')
  const fields: JsonObject = { did: row['did'], host, rev: row['rev'] }
  for (const name of ['status', 'active']) if (row[name] !== undefined && row[name] !== null) fields[name] = row[name]
  return readBackfillEvent(fields)
}
