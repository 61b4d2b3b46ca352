import { WebSocket } from 'ws'

export interface CollectFramesOptions {
  /** A host of the network, with scheme. */
  host: string
  /** @default 'com.atproto.sync.subscribeRepos' */
  method?: string
  /** Absent: only what comes from now on. */
  cursor?: number
  /** Messages after which it disconnects. @default Infinity: until the host ends the connection */
  count?: number
}

/** Subscribes to an event stream as the simplest of clients does, and gives the messages as they came. */
export async function collectFrames({
  host,
  method = 'com.atproto.sync.subscribeRepos',
  cursor,
  count = Infinity,
}: CollectFramesOptions): Promise<Uint8Array[]> {
  const query = cursor === undefined ? '' : `?cursor=${cursor}`
  const socket = new WebSocket(`${host.replace(/^http/, 'ws')}/xrpc/${method}${query}`, { perMessageDeflate: false })
  const frames: Uint8Array[] = []
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      if (frames.length < count) frames.push(new Uint8Array(data))
      if (frames.length >= count) socket.terminate()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
  return frames
}
