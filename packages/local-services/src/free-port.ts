import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** From here on systems take the ports of outgoing connections, and would take one that was found free before it is used. */
const FIRST_OF_CONNECTIONS = 32_768
const FIRST = 20_000

/** A port of 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      return await listenOnce(randomInt(FIRST, FIRST_OF_CONNECTIONS))
    } catch {
      // It is taken: another one.
    }
  }
  return await listenOnce(0)
}

async function listenOnce(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
