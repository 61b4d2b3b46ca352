import { rm, writeFile } from 'node:fs/promises'
import { startFaultControl, type SimulatedNetwork } from '@millrace/dev-network'
import { ResourceStack } from '@millrace/stream-protocol'
import { controlFile } from './ask-control.ts'

/** Lets `millrace sim fault` reach a network, until it is disposed of. */
export async function openControl(network: SimulatedNetwork, data: string): Promise<AsyncDisposable> {
  await using stack = new ResourceStack()
  const { url, token } = stack.use(await startFaultControl(network))
  const file = controlFile(data)
  // Only its owner may read it. A file that a kill has left would keep its mode, and so goes first.
  await rm(file, { force: true })
  await writeFile(file, `${JSON.stringify({ url, token })}\n`, { mode: 0o600 })
  stack.defer(() => rm(file, { force: true }))
  return stack.move()
}
