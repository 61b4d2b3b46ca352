import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Stands between a client and its Redis, and loses what it is told to lose. */
export class TcpProxy implements AsyncDisposable {
  /** While set, commands reach the server and replies get lost. A connection that has lost one stays silent. */
  swallowReplies = false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: URL) {
    this.#server = createServer((client) => {
      const server = connect(Number(target.port), target.hostname)
      this.#sockets.add(client).add(server)
      client.on('data', (data) => server.write(data))
      let silent = false
      server.on('data', (data) => {
        silent ||= this.swallowReplies
        if (!silent) client.write(data)
      })
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const)
        // Either end may reset its connection: that is what the tests are about.
        socket.on('error', () => other.destroy()).on('close', () => other.destroy())
    })
  }

  static async listen(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks all connections. New ones can be made. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
