import { hostWithoutScheme } from '@millrace/stream-protocol'

/** Address of a subscription. A host without a scheme is reached over TLS; `cursor` goes along as it is (hazard I3). */
export function subscriptionUrl(host: string, nsid: string, cursor: string | null): string {
  const insecure = /^(http|ws):\/\//.test(host)
  const url = new URL(`${insecure ? 'ws' : 'wss'}://${hostWithoutScheme(host)}`)
  url.pathname = `/xrpc/${nsid}`
  if (cursor !== null) url.searchParams.set('cursor', cursor)
  return url.href
}

/** A host with the scheme that its requests use. */
export function hostWithScheme(host: string): string {
  const insecure = /^(http|ws):\/\//.test(host)
  return `${insecure ? 'http' : 'https'}://${hostWithoutScheme(host)}`
}

/** The host as it stands in events, metrics and marks. */
export const hostLabel = hostWithoutScheme

/** Milliseconds that a `Retry-After` header asks for, in either of its forms, within the hour; 0 without one. */
export function retryAfterMs(header: string | null | undefined, now: number): number {
  if (!header) return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), 3_600_000)
}
