import path from 'node:path'
import { startServerProcess } from '../start-server-process.ts'

/** Starts a server of so many recorded frames in a process of its own. */
export async function startFrameServer(frames: number): Promise<AsyncDisposable & { url: string }> {
  const file = path.join(import.meta.dirname, `frame-server${path.extname(import.meta.filename)}`)
  return await startServerProcess(file, String(frames))
}
