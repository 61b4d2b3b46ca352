import { expect, test } from 'vitest'
import { startFaultControl, type FaultControl, type FaultList, type FaultRequest } from './fault-control.ts'
import { startSimulatedNetwork } from './simulated-network.ts'
import { get, small } from './testing/client.ts'

async function ask(
  { url, token }: Pick<FaultControl, 'url' | 'token'>,
  init: RequestInit = {},
  query = '',
): Promise<{ status: number; body: FaultList & { message?: string } }> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${url}/faults${query}`, { headers, ...init })
  return { status: response.status, body: (await response.json()) as FaultList }
}

const set = (control: FaultControl, body: unknown) => ask(control, { method: 'POST', body: JSON.stringify(body) })

test('faults are set, counted down and cleared from outside', async () => {
  await using network = await startSimulatedNetwork(small)
  await using control = await startFaultControl(network)
  const { did, handle, pdsUrl } = network.account(0)
  const request: FaultRequest = { target: handle, fault: 'throttled', times: 2, retryAfterSeconds: 3 }
  expect((await set(control, request)).body.faults).toEqual([{ target: did, fault: 'throttled', left: 2 }])
  const answer = await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3'])
  await set(control, { target: new URL(pdsUrl).host, fault: 'error', status: 502 })
  await set(control, { target: did, fault: 'identity-error' })
  const { body } = await set(control, { target: 'relay', fault: 'hold' })
  expect(body).toEqual({
    faults: [
      { target: did, fault: 'throttled', left: 1 },
      { target: pdsUrl, fault: 'error' },
      { target: did, fault: 'identity-error' },
      { target: 'relay', fault: 'hold' },
    ],
    hosts: network.pdsUrls,
  })
  const cleared = await ask(control, { method: 'DELETE' }, `?target=${did}`)
  expect(cleared.body.faults.map(({ target }) => target)).toEqual([pdsUrl, 'relay'])
  expect((await ask(control, { method: 'DELETE' }, '?target=relay')).body.faults).toHaveLength(1)
  expect((await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })).status).toBe(502)
  expect((await ask(control, { method: 'DELETE' })).body.faults).toEqual([])
  expect((await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })).status).toBe(200)
})

test.each([
  [{ target: 'nobody.test', fault: 'error' }, 'nobody.test is no account or PDS'],
  [{ target: 'relay', fault: 'error' }, 'hold or drop'],
  [{ target: 'relay', fault: 'hold', times: 1 }, 'not counted'],
  [{ target: 0, fault: 'bored' }, 'a target and a fault'],
  [{ target: 'relay', fault: 'hold', times: 0 }, 'times is a whole number from 1'],
  [[], 'a target and a fault'],
  ['text', 'no JSON object'],
])('%j is refused', async (body, message) => {
  await using network = await startSimulatedNetwork({ accounts: 1, recordsPerAccount: 0, labels: 0 })
  await using control = await startFaultControl(network)
  expect(await set(control, body)).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } })
  const { did } = network.account(0)
  expect((await set(control, { target: did, fault: 'bored' })).body.message).toContain('no fault bored')
  expect((await set(control, { target: network.pdsUrls[0], fault: 'identity-stall' })).status).toBe(400)
  expect(network.faults.list()).toEqual([])
})

test('who has not got the token is not answered', async () => {
  await using network = await startSimulatedNetwork({ accounts: 0, recordsPerAccount: 0, labels: 0 })
  await using control = await startFaultControl(network)
  expect((await ask({ ...control, token: 'other' })).status).toBe(401)
  expect((await ask(control, { headers: {} })).status).toBe(401)
  expect((await ask(control)).status).toBe(200)
})
