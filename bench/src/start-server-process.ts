import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Starts a server in a process of its own, so that what it costs is nobody's. It prints its address when it is ready. */
export async function startServerProcess(file: string, argument: string): Promise<AsyncDisposable & { url: string }> {
  const child = spawn(process.execPath, [...process.execArgv, file, argument], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const [url] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`${file} ended before it began`))),
  ])) as [string]
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
