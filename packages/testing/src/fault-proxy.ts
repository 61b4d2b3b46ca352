import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Stands between clients and a server, and does to their connections what networks do. */
export class FaultProxy implements AsyncDisposable {
  /** How long bytes take in either direction, in milliseconds. */
  delayMs = 0
  /** While set, connections are broken as soon as they are made. */
  refuses = false
  /** While set, what is asked reaches the server, and the answers get lost. A connection that lost one stays silent. */
  swallowsAnswers = false
  /** Connections that were cut, and answers that were lost. */
  faults = 0
  readonly #target: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((client) => {
      if (this.refuses) {
        client.on('error', () => undefined).resetAndDestroy()
        return
      }
      const server = connect(Number(target.port), target.hostname)
      let isSilent = false
      this.#pass(client, server, () => true)
      this.#pass(server, client, () => {
        if (this.swallowsAnswers && !isSilent) {
          isSilent = true
          this.faults += 1
        }
        return !isSilent
      })
    })
  }

  static async listen(targetUrl: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(targetUrl))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** That of the server, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#target)
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href
  }

  /** Breaks all connections. New ones can be made. */
  cut(): void {
    this.faults += this.#sockets.size / 2
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#sockets.clear()
  }

  heal(): void {
    const wasSilent = this.swallowsAnswers
    this.delayMs = 0
    this.swallowsAnswers = false
    if (wasSilent) this.cut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(from: Socket, to: Socket, mayPass: () => boolean): void {
    this.#sockets.add(from)
    from
      .on('data', (data) => {
        if (!mayPass()) return
        if (this.delayMs === 0) to.write(data)
        else setTimeout(() => to.write(data), this.delayMs)
      })
      // Either end may reset its connection: that is what this is about.
      .on('error', () => to.destroy())
      .on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
  }
}
