import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface FrameServer extends AsyncDisposable {
  url: string
}

/** Starts a server of so many recorded frames in a process of its own, so that what it costs is not ours. */
export async function startFrameServer(frames: number): Promise<FrameServer> {
  const file = path.join(import.meta.dirname, `frame-server${path.extname(import.meta.filename)}`)
  const child = spawn(process.execPath, [...process.execArgv, file, String(frames)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const [url] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error('the server of frames ended before it began'))),
  ])) as [string]
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
