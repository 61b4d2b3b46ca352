import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@millrace/local-services'
import { startProcess } from '@millrace/runtime/testing'
import { sleep } from '@millrace/stream-protocol'
import { peakMegabytes } from '@millrace/testing/results'

export interface IndexerProcess extends AsyncDisposable {
  /** The most memory that it had so far, in megabytes. NaN where the system does not tell. */
  peakMegabytes(): Promise<number>
  /** @throws with its last words when it has ended by itself. */
  assertRunning(): void
}

/** Starts the indexer app with its defaults, and resolves once it is ready. No account that it looks up exists. */
export async function startIndexer(urls: { redisUrl: string; postgresUrl: string }): Promise<IndexerProcess> {
  await using cleanup = new AsyncDisposableStack()
  const directory = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
  await once(directory, 'listening')
  cleanup.defer(() => {
    directory.closeAllConnections()
    directory.close()
  })
  const port = await freePort()
  const main = fileURLToPath(import.meta.resolve('@millrace/indexer'))
  const indexer = cleanup.use(
    startProcess({
      main: path.join(path.dirname(main), `main${path.extname(main)}`),
      env: {
        INDEXER_CONSUMER: 'bench',
        REDIS_URL: urls.redisUrl,
        DB_POSTGRES_URL: urls.postgresUrl,
        DID_PLC_URL: `http://127.0.0.1:${(directory.address() as AddressInfo).port}`,
        MILLRACE_ALLOW_PRIVATE_HOSTS: '1',
        METRICS_PORT: String(port),
      },
    }),
  )
  let hasEnded = false
  void indexer.ended.then(() => (hasEnded = true))
  const assertRunning = (): void => {
    const { stdout, stderr } = indexer.output()
    if (hasEnded) throw new Error(`the indexer has ended:\n${stdout.slice(-5000)}${stderr}`)
  }
  while (!(await isReady(port))) {
    assertRunning()
    await sleep(50)
  }
  const running = cleanup.move()
  return {
    peakMegabytes: () => peakMegabytes(indexer.pid),
    assertRunning,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
  } catch {
    return false // not listening yet
  }
}
