import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

/** An answer that is an error: thrown by handlers. */
export class XrpcError extends Error {
  override readonly name = 'XrpcError'
  readonly status: number
  readonly error: string
  readonly headers: Record<string, string>

  constructor(status: number, error: string, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.error = error
    this.headers = headers
  }
}

export type Handler = (url: URL, request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export interface LocalServerOptions {
  /** 0 takes any free one. @default 0 */
  port?: number
  handle: Handler
  /** Websocket endpoints by NSID. */
  streams?: Record<string, (socket: WebSocket, url: URL) => void>
}

/** An HTTP server on loopback: the part that the hosts of a network have in common. */
export class LocalServer implements AsyncDisposable {
  /** Requests so far by method: an NSID, or a path with DIDs left out. */
  readonly requests: Record<string, number> = {}
  readonly #options: LocalServerOptions
  #url = ''
  readonly #http = createServer((request, response) => void this.#answer(request, response))
  readonly #websockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })

  static async start(options: LocalServerOptions): Promise<LocalServer> {
    const server = new LocalServer(options)
    await new Promise<void>((resolve, reject) => {
      server.#http.once('error', reject)
      server.#http.listen(options.port ?? 0, '127.0.0.1', resolve)
    })
    const { port } = server.#http.address() as AddressInfo
    server.#url = `http://127.0.0.1:${port}`
    return server
  }

  private constructor(options: LocalServerOptions) {
    this.#options = options
    this.#http.on('upgrade', (request, socket, head) => {
      const url = this.#urlOf(request)
      const stream = options.streams?.[methodOf(url)]
      if (!stream) {
        socket.destroy()
        return
      }
      this.#count(url)
      this.#websockets.handleUpgrade(request, socket, head, (websocket) => stream(websocket, url))
    })
  }

  get url(): string {
    return this.#url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#websockets.clients) client.terminate()
    const closed = new Promise((resolve) => this.#http.close(resolve))
    this.#http.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = this.#urlOf(request)
    this.#count(url)
    try {
      await this.#options.handle(url, request, response)
    } catch (error) {
      if (response.headersSent) response.destroy()
      else if (error instanceof XrpcError)
        sendJson(response, error.status, { error: error.error, message: error.message }, error.headers)
      else sendJson(response, 500, { error: 'InternalServerError', message: String(error) })
    }
  }

  #urlOf(request: IncomingMessage): URL {
    return new URL(request.url ?? '/', this.url)
  }

  #count(url: URL): void {
    const method = methodOf(url)
    this.requests[method] = (this.requests[method] ?? 0) + 1
  }
}

/** `/xrpc/<nsid>` gives the NSID; a path of the PLC directory gives itself with `:did` in place of the DID. */
export function methodOf(url: URL): string {
  const path = decodeURIComponent(url.pathname)
  return path.startsWith('/xrpc/') ? path.slice('/xrpc/'.length) : path.replace(/^\/did:[^/]+/, '/:did')
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(JSON.stringify(body))
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}

export const carType = { 'content-type': 'application/vnd.ipld.car' }

export function sendCar(response: ServerResponse, car: Uint8Array): void {
  response.writeHead(200, { ...carType, 'content-length': car.length })
  response.end(car)
}
