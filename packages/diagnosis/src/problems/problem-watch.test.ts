import { startSimulatedNetwork } from '@millrace/dev-network'
import { streams } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { ProblemWatch } from './problem-watch.ts'

test('a host that somebody did not wait for is not away, and one that was asked a moment ago is not asked again', async () => {
  await using network = await startSimulatedNetwork({ accounts: 1, recordsPerAccount: 1, labels: 0 })
  const upstreams = [{ host: network.relayUrl, stream: streams.firehoseLive }]
  const watch = new ProblemWatch({ sources: { store: { why: 'a test' }, declared: [], upstreams } })
  const codes = async (options: Parameters<ProblemWatch['look']>[0]) =>
    (await watch.look(options)).problems.map(({ code }) => code)
  expect(await codes({ probe: true })).toEqual(['store-away'])
  expect(await codes({ probe: true, signal: AbortSignal.abort() })).toEqual(['store-away'])
  expect(await codes({})).toEqual(['store-away'])
  await network[Symbol.asyncDispose]()
  expect(await codes({})).toEqual(['store-away'])
  expect(await codes({ probe: true })).toEqual(['store-away', 'host-away'])
})
