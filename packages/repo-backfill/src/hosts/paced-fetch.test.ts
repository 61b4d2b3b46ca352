import { createGuardedFetch } from '@millrace/identity'
import { serve } from '@millrace/testing'
import { expect, test } from 'vitest'
import { HostPacer, type HostBusyError } from './host-pacer.ts'
import { pacedFetch } from './paced-fetch.ts'

const open = createGuardedFetch({ allowPrivateHosts: true })

test('a request waits until its host may be asked, and one that it is sent on to as well', async () => {
  await using host = await serve((_, response) => response.end('here'))
  await using relay = await serve((_, response) => response.writeHead(302, { location: `${host.url}/x` }).end())
  const pacer = new HostPacer({ startPerSecond: 20 })
  const fetch = pacedFetch({ fetch: open, pacer, priority: 2 })
  const startedAt = performance.now()
  for (let n = 0; n < 8; n++) expect(await (await fetch(relay.url)).text()).toBe('here')
  // A few at once, and then one in 50 ms.
  expect(performance.now() - startedAt).toBeGreaterThan(100)
  expect(host.asked).toHaveLength(8)
})

test('what a host answers is heard by all who ask it', async () => {
  await using host = await serve((_, response) => response.writeHead(429, { 'retry-after': '60' }).end())
  const pacer = new HostPacer()
  const fetch = pacedFetch({ fetch: open, pacer, priority: 2 })
  expect((await fetch(host.url)).status).toBe(429)
  expect(pacer.waitMs(host.url)).toBeGreaterThan(50_000)
  await expect(fetch(host.url, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(host.asked).toHaveLength(1)
})

test('one that has no time does not wait for long, and says when to come back', async () => {
  await using host = await serve((_, response) => response.writeHead(503, { 'retry-after': '60' }).end())
  const pacer = new HostPacer()
  const fetch = pacedFetch({ fetch: open, pacer, priority: 1, maxWaitMs: 1_000 })
  expect((await fetch(host.url)).status).toBe(503)
  const busy = await fetch(host.url).catch((error: unknown) => error)
  expect(busy).toMatchObject({ name: 'HostBusyError', wasAsked: false })
  expect((busy as HostBusyError).retryAfterMs).toBeGreaterThan(50_000)
  expect(host.asked).toHaveLength(1)
})

test('a host that does not answer is left alone', async () => {
  const pacer = new HostPacer()
  const fetch = pacedFetch({ fetch: open, pacer, priority: 2 })
  await expect(fetch('http://127.0.0.1:9/')).rejects.toMatchObject({ name: 'NetworkError' })
  expect(pacer.waitMs('http://127.0.0.1:9')).toBeGreaterThan(0)
})
