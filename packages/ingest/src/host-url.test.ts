import { expect, test } from 'vitest'
import { hostWithScheme, retryAfterMs, subscriptionUrl } from './host-url.ts'

test.each([
  { host: 'bsky.network', cursor: null, url: 'wss://bsky.network/xrpc/a.b.c' },
  { host: 'https://bsky.network', cursor: '5', url: 'wss://bsky.network/xrpc/a.b.c?cursor=5' },
  { host: 'https://bsky.network/', cursor: '0', url: 'wss://bsky.network/xrpc/a.b.c?cursor=0' },
  { host: 'http://127.0.0.1:2583', cursor: 'x y', url: 'ws://127.0.0.1:2583/xrpc/a.b.c?cursor=x+y' },
  { host: 'ws://127.0.0.1:2583', cursor: null, url: 'ws://127.0.0.1:2583/xrpc/a.b.c' },
])('the subscription of $host from $cursor is $url (I3)', ({ host, cursor, url }) =>
  expect(subscriptionUrl(host, 'a.b.c', cursor)).toBe(url),
)

test('requests go over TLS unless the host says otherwise', () => {
  expect(hostWithScheme('bsky.network')).toBe('https://bsky.network')
  expect(hostWithScheme('http://127.0.0.1:2583')).toBe('http://127.0.0.1:2583')
})

test.each([
  { header: null, ms: 0 },
  { header: '7', ms: 7_000 },
  { header: 'Thu, 01 Jan 1970 00:00:09 GMT', ms: 8_000 },
  { header: 'Thu, 01 Jan 1970 00:00:00 GMT', ms: 0 },
  { header: '99999999', ms: 3_600_000 },
  { header: 'soon', ms: 0 },
])('Retry-After $header is $ms milliseconds (I9)', ({ header, ms }) => expect(retryAfterMs(header, 1_000)).toBe(ms))
