import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, fetch, type Dispatcher, type Response as UndiciResponse } from 'undici'
import { BlockedHostError, NetworkError, ResponseLimitError } from './errors.ts'
import { isLocalAddress, isPublicAddress } from './public-address.ts'

/** Limits of one request. What is over them rejects with `ResponseLimitError`. */
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
  /**
   * Lets http, any port, loopback and private addresses through: for simulated networks and tests. What is neither those
   * nor public, such as the addresses at which clouds tell their secrets, is not asked then either. @default false
   */
  allowPrivateHosts?: boolean
  /** @default 3 */
  maxRedirects?: number
  /** @default 'millrace' */
  userAgent?: string
  /** Finds the addresses of a name: they are judged whoever finds them. @default the system's */
  lookup?: AddressLookup
}

/** As `dns.lookup` with `all`. */
export type AddressLookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** What a request brings along. */
export interface GuardedFetchInit {
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Other limits for this request. A fetch of another make passes over them. */
  limits?: GuardedFetchLimits
  /**
   * Awaited before each request, redirects included, with its origin. What it rejects with is what the fetch rejects
   * with, and nothing is asked. A fetch of another make passes over it.
   */
  beforeRequest?: (origin: string) => Promise<void>
  /** Told of each answer, redirects included, as soon as its headers are there. */
  onAnswer?: (origin: string, answer: { status: number; headers: Headers }) => Promise<void>
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
  const { allowPrivateHosts = false, headersMs = defaults.headersMs, lookup = systemLookup } = options
  // One agent for all: it keeps connections, and every new one goes through the lookup. The timers here replace its own.
  const agent = new Agent({
    connect: { timeout: headersMs, lookup: judgedLookup(lookup, allowPrivateHosts) },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 32 * 1024,
    keepAliveTimeout: 4_000,
  })
  return guardedFetchOver(agent, options)
}

/** Judges URLs, follows redirects and keeps limits; that addresses are public is the part of who connects. */
export function guardedFetchOver(dispatcher: Dispatcher, options: GuardedFetchOptions = {}): GuardedFetch {
  const { allowPrivateHosts = false, maxRedirects = 3, userAgent = 'millrace', lookup: _, ...limits } = options
  return async (input, init = {}) => {
    const { headersMs, idleMs, timeoutMs, maxBytes } = { ...defaults, ...limits, ...init.limits }
    const timer = new AbortController()
    const signal = init.signal ? AbortSignal.any([init.signal, timer.signal]) : timer.signal
    const total = setTimeout(() => timer.abort(timeout), timeoutMs)
    let url = parseUrl(input)
    try {
      for (let hops = 0; ; hops++) {
        checkUrl(url, allowPrivateHosts)
        await asked(init.beforeRequest?.(url.origin))
        const response = await withDeadline(timer, headersMs, () =>
          fetch(url, {
            dispatcher,
            redirect: 'manual',
            signal,
            headers: { 'user-agent': userAgent, ...init.headers },
          }),
        )
        await asked(init.onAnswer?.(url.origin, { status: response.status, headers: headersOf(response) }))
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
      if (error instanceof CallerError) throw error.cause
      throw asFetchError(error, url, init.signal)
    }
  }
}

/** What the caller's own functions reject with: it is not the network's. */
class CallerError extends Error {
  override readonly name = 'CallerError'
}

async function asked(work: Promise<void> | undefined): Promise<void> {
  try {
    await work
  } catch (cause) {
    throw new CallerError('the caller stopped it', { cause })
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
  if (url.protocol !== 'https:' && !(allowPrivateHosts && url.protocol === 'http:')) block('not https')
  if (url.port !== '' && !allowPrivateHosts) block('not the default port')
  // Sockets look up names only. The URL parser has turned octal, hexadecimal and short forms into the plain one.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 && !mayBeAsked(host, allowPrivateHosts)) block('not a public address')
}

function mayBeAsked(address: string, allowPrivateHosts: boolean): boolean {
  return isPublicAddress(address) || (allowPrivateHosts && isLocalAddress(address))
}

/** Fails unless every address may be asked: which of them is tried is the socket's choice. */
function judgedLookup(lookup: AddressLookup, allowPrivateHosts: boolean): LookupFunction {
  return anyLookup((hostname, options, callback) => {
    lookup(hostname, options, (error, addresses) => {
      const inside = !error && addresses.some(({ address }) => !mayBeAsked(address, allowPrivateHosts))
      if (inside) callback(new BlockedHostError(hostname, 'it resolves to an address that is not public'), [])
      else callback(error, addresses)
    })
  })
}

/** In the form that sockets ask in: for one address, or for all. */
function anyLookup(lookup: AddressLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? []
      if (error) callback(error, [])
      else if (!first) callback(new BlockedHostError(hostname, 'no address'), [])
      else if (options.all === true) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
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
  const headers = headersOf(response)
  return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url.href })
}

/** The same in the type that Node has by itself. */
function headersOf(response: UndiciResponse): Headers {
  return new Headers([...response.headers] as [string, string][])
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
