import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, fetch, type Response as UndiciResponse } from 'undici'
import { BlockedHostError, NetworkError, ResponseLimitError } from './errors.ts'
import { isPublicAddress } from './public-address.ts'

export interface GuardedFetchLimits {
  /** Until the headers of one answer are there, in milliseconds. @default 20_000 */
  headersMs?: number
  /** Between two parts of the body, in milliseconds. @default 30_000 */
  idleMs?: number
  /** Redirects and body included, in milliseconds. @default 60_000 */
  timeoutMs?: number
  /** Size of the body, decompressed. @default 1 MiB */
  maxBytes?: number
}

export interface GuardedFetchOptions extends GuardedFetchLimits {
  /** Lets http, any port, loopback and private addresses through: for simulated networks and tests. @default false */
  allowPrivateHosts?: boolean
  /** @default 3 */
  maxRedirects?: number
  /** @default 'millrace' */
  userAgent?: string
}

export interface GuardedFetchInit {
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Other limits for this request. A fetch of another make passes over them. */
  limits?: GuardedFetchLimits
}

/**
 * GETs a URL. The global `fetch` has this shape too, and none of the guarantees.
 * The body must be read or cancelled: until then, it holds its connection.
 */
export type GuardedFetch = (url: string | URL, init?: GuardedFetchInit) => Promise<Response>

const defaults = { headersMs: 20_000, idleMs: 30_000, timeoutMs: 60_000, maxBytes: 1024 * 1024 }

/**
 * A fetch for URLs that strangers name: PDS endpoints, did:web hosts, handles.
 *
 * It speaks https on the default port to public addresses only. Addresses are judged when the connection is made, so a
 * name that resolves differently the second time gains nothing. Redirects are followed here and judged like first URLs.
 * Time and decompressed size are bounded. No cookies, credentials or referrers are sent.
 *
 * The promise and the body reject with {@link BlockedHostError} or {@link ResponseLimitError}, which are final, or with
 * {@link NetworkError}, which is not; and with the reason of `signal` once that is aborted.
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { allowPrivateHosts = false, maxRedirects = 3, userAgent = 'millrace', ...limits } = options
  // One agent for all: it keeps connections, and every new one goes through the lookup. The timers here replace its own.
  const agent = new Agent({
    connect: { timeout: limits.headersMs ?? defaults.headersMs, ...(!allowPrivateHosts && { lookup: publicLookup }) },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 32 * 1024,
    keepAliveTimeout: 4_000,
  })

  return async (input, init = {}) => {
    const { headersMs, idleMs, timeoutMs, maxBytes } = { ...defaults, ...limits, ...init.limits }
    const timer = new AbortController()
    const signal = init.signal ? AbortSignal.any([init.signal, timer.signal]) : timer.signal
    const total = setTimeout(() => timer.abort(timeout), timeoutMs)
    let url = parseUrl(input)
    try {
      for (let hops = 0; ; hops++) {
        checkUrl(url, allowPrivateHosts)
        const response = await withDeadline(timer, headersMs, () =>
          fetch(url, {
            dispatcher: agent,
            redirect: 'manual',
            signal,
            headers: { 'user-agent': userAgent, ...init.headers },
          }),
        )
        const location = response.headers.get('location')
        if (response.status < 300 || response.status > 399 || location === null) {
          const body = response.body
            ? cappedBody(response.body, { url, maxBytes, idleMs, timer, total, caller: init.signal })
            : null
          if (!body) clearTimeout(total)
          return asResponse(response, body, url)
        }
        await response.body?.cancel()
        if (hops === maxRedirects)
          throw new ResponseLimitError(
            'redirects',
            `more than ${maxRedirects} redirects, the last to ${location.slice(0, 300)}`,
          )
        url = parseUrl(location, url)
      }
    } catch (error) {
      clearTimeout(total)
      throw asFetchError(error, url, init.signal)
    }
  }
}

/** What the timers abort with. It never gets out: callers see a {@link NetworkError} that names the host. */
const timeout = Object.assign(new Error('timeout'), { code: 'TIMEOUT' })

function parseUrl(input: string | URL, base?: URL): URL {
  try {
    return new URL(input, base)
  } catch {
    throw new BlockedHostError(String(input), 'not a URL')
  }
}

function checkUrl(url: URL, allowPrivateHosts: boolean): void {
  const block = (why: string): never => {
    throw new BlockedHostError(url.href, why)
  }
  if (url.username !== '' || url.password !== '') block('it carries credentials')
  if (allowPrivateHosts) {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') block('not http or https')
    return
  }
  if (url.protocol !== 'https:') block('not https')
  if (url.port !== '') block('not the default port')
  // Sockets look up names only. The URL parser has turned octal, hexadecimal and short forms into the plain one.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 && !isPublicAddress(host)) block('not a public address')
}

/** As `dns.lookup`, and fails unless every address is public: which of them is tried is the socket's choice. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) {
      callback(error, [])
      return
    }
    const inside = addresses.find(({ address }) => !isPublicAddress(address))
    if (inside || addresses.length === 0) {
      callback(
        new BlockedHostError(hostname, inside ? 'it resolves to an address that is not public' : 'no address'),
        [],
      )
      return
    }
    if (options.all === true) callback(null, addresses)
    else callback(null, addresses[0]!.address, addresses[0]!.family)
  })
}

async function withDeadline<T>(timer: AbortController, ms: number, work: () => Promise<T>): Promise<T> {
  const deadline = setTimeout(() => timer.abort(timeout), ms)
  try {
    return await work()
  } finally {
    clearTimeout(deadline)
  }
}

interface BodyLimits {
  url: URL
  maxBytes: number
  idleMs: number
  timer: AbortController
  total: NodeJS.Timeout
  caller: AbortSignal | undefined
}

/** Passes a body on part by part, as fast as it is read, and fails at the first byte too many. */
function cappedBody(body: ReadableStream<Uint8Array>, limits: BodyLimits): ReadableStream<Uint8Array> {
  const { url, maxBytes, idleMs, timer, total, caller } = limits
  const reader = body.getReader()
  let received = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await withDeadline(timer, idleMs, () => reader.read())
          if (done) {
            clearTimeout(total)
            controller.close()
            return
          }
          received += value.byteLength
          if (received > maxBytes) {
            timer.abort()
            throw new ResponseLimitError('bytes', `${url.origin} sent more than ${maxBytes} bytes`)
          }
          controller.enqueue(value)
        } catch (error) {
          clearTimeout(total)
          throw asFetchError(error, url, caller)
        }
      },
      async cancel(reason) {
        clearTimeout(total)
        await reader.cancel(reason)
      },
    },
    // Nothing is read ahead of the caller.
    { highWaterMark: 0 },
  )
}

/** A response with another body. `url` is where the redirects ended. */
function asResponse(response: UndiciResponse, body: ReadableStream<Uint8Array> | null, url: URL): Response {
  const { status, statusText } = response
  const headers = [...response.headers] as [string, string][]
  return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url.href })
}

/** Finds what happened in the causes: the socket's own error lies under "fetch failed" and "terminated". */
function asFetchError(error: unknown, url: URL, caller: AbortSignal | undefined): unknown {
  if (caller?.aborted) return caller.reason
  let code: string | undefined
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = innerOf(cause), depth++) {
    if (cause instanceof BlockedHostError || cause instanceof ResponseLimitError || cause instanceof NetworkError)
      return cause
    code ??= typeof (cause as { code?: unknown }).code === 'string' ? (cause as { code?: string }).code : undefined
  }
  return new NetworkError(code ?? 'UNKNOWN', url, { cause: error })
}

function innerOf(error: Error): unknown {
  // Several addresses were tried, and each failed in its own way.
  return error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause
}
