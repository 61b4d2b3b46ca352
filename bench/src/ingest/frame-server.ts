import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { readRecordedNetwork, repeatFrames } from './recorded-frames.ts'

// A relay in a process of its own: `node frame-server.ts FRAMES`. Prints its address once it has all
// frames in memory, and sends them to whoever connects, as fast as they are taken. Ends when its input does.

const BUFFERED_BYTES = 4_000_000

const recording = await readRecordedNetwork()
const frames = repeatFrames(recording, Number(process.argv[2]))
const server = createServer()
const sockets = new WebSocketServer({ server })
sockets.on('connection', (socket) => void send(socket))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
process.stdin.resume().on('end', () => process.exit(0))

async function send(socket: WebSocket): Promise<void> {
  socket.on('error', () => socket.terminate())
  for (const frame of frames) {
    if (socket.readyState !== socket.OPEN) return
    const isFull = socket.bufferedAmount > BUFFERED_BYTES
    const sent = new Promise<void>((resolve) => socket.send(frame, () => resolve()))
    if (isFull) await sent
  }
}
