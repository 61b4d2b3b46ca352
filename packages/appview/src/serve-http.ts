import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that listens. `await using` closes it, and all connections. */
export interface HttpServer extends AsyncDisposable {
  /** It ends with a slash. */
  readonly url: string
}

/**
 * Answers HTTP requests of this machine alone: whoever opens it to others puts a proxy before it.
 * @param port 0 for any.
 * @throws when the port is taken.
 */
export async function serveHttp(listener: RequestListener, port: number): Promise<HttpServer> {
  const server = createServer(listener)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
