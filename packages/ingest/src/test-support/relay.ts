import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

/** One connection of a client, as its host sees it. */
export interface Connection {
  socket: WebSocket
  /** Of all connections, from 0. */
  index: number
  path: string
  /** The cursor parameter as it was sent; null when there was none. */
  cursor: string | null
}

export interface Relay extends AsyncDisposable {
  /** `http://127.0.0.1:…` */
  host: string
  connections: Connection[]
}

/** A host on loopback that does what a test tells it: a real websocket server, with nothing else behind it. */
export async function startRelay(
  connected: (connection: Connection) => void,
  refuse?: (index: number, response: ServerResponse) => boolean,
): Promise<Relay> {
  const connections: Connection[] = []
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  let attempts = 0
  server.on('upgrade', (request: IncomingMessage, stream, head) => {
    if (refuse) {
      // What a server says instead of switching to a websocket goes over the bare connection.
      const lines: string[] = []
      const response = {
        writeHead: (status: number, headers: Record<string, string> = {}) =>
          lines.push(
            `HTTP/1.1 ${status} Refused`,
            ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
          ),
        end: () => stream.end(`${lines.join('\r\n')}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`),
      } as unknown as ServerResponse
      if (refuse(attempts++, response)) return
    }
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const url = new URL(request.url ?? '', 'http://relay')
      const connection: Connection = {
        socket,
        index: connections.length,
        path: url.pathname,
        cursor: url.searchParams.get('cursor'),
      }
      socket.on('error', () => socket.terminate())
      connections.push(connection)
      connected(connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: `http://127.0.0.1:${port}`,
    connections,
    async [Symbol.asyncDispose]() {
      for (const { socket } of connections) socket.terminate()
      sockets.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Sends all frames after the cursor, as a host with a history does. */
export function replay(frames: readonly { seq: number; bytes: Uint8Array }[]) {
  return ({ socket, cursor }: Connection): void => {
    for (const { seq, bytes } of frames) if (seq > Number(cursor ?? 0)) socket.send(bytes)
  }
}
