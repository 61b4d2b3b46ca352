import { createGuardedFetch } from '@millrace/identity'
import { MemoryState } from '@millrace/stream-protocol'
import { serve } from '@millrace/testing'
import { expect, test } from 'vitest'
import { accountStatus } from './account-status.ts'
import { HostPacer, type HostBusyError } from './host-pacer.ts'
import type { HostState } from './host-state.ts'
import { pacedFetch } from './paced-fetch.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const fetch = createGuardedFetch({ allowPrivateHosts: true })

test('a PDS that has refused a backfiller is not asked how accounts stand (B5, D11)', async () => {
  let refuses = false
  await using host = await serve((_, response) => {
    if (refuses) response.writeHead(429, { 'retry-after': '60' }).end()
    else response.end(JSON.stringify({ did, active: true }))
  })
  // As two processes have it: they share what hosts take alone.
  const states = new MemoryState<HostState>()
  const [one, other] = [new HostPacer({ states }), new HostPacer({ states })]
  const identity = { did, pds: host.url, document: {} }
  const resolver = { resolve: () => Promise.resolve({ kind: 'found' as const, identity }) }
  const status = accountStatus({ resolver, fetch, pacer: one })
  expect(await status.ask(did)).toMatchObject({ answer: 'active' })

  refuses = true
  expect((await pacedFetch({ fetch, pacer: other, priority: 3 })(`${host.url}/repo`)).status).toBe(429)
  const asked = host.asked.length
  // A turn that was taken before it was refused is used, and no other.
  await status.ask(did).catch(() => undefined)
  const busy = await status.ask(did).catch((error: unknown) => error)
  expect(busy).toMatchObject({ wasAsked: false })
  expect((busy as HostBusyError).retryAfterMs).toBeGreaterThan(50_000)
  expect(host.asked.length).toBeLessThanOrEqual(asked + 1)
})
