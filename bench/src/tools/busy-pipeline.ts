import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@millrace/local-services'
import { startProcess } from '@millrace/runtime/testing'
import { sleep } from '@millrace/stream-protocol'

export interface BusyPipelineOptions {
  redisUrl: string
  databaseUrl: string
  folder: string
  accounts: number
  recordsPerAccount: number
  /** Records a second that go on being written. */
  rate: number
}

/** How a command of the operator went. */
export interface Asked {
  /** From the start of its process to its end. */
  ms: number
  code: number | NodeJS.Signals
}

const main = (() => {
  const index = fileURLToPath(import.meta.resolve('@millrace/millrace'))
  return path.join(path.dirname(index), `main${path.extname(index)}`)
})()

/** A pipeline that is not filled by then never will be. */
const PATIENCE_MS = 300_000

/** A whole pipeline over a simulated network that goes on writing, and the commands that are asked beside it. */
export class BusyPipeline implements AsyncDisposable {
  readonly #process: ReturnType<typeof startProcess>
  readonly #adminPort: number

  private constructor(process: ReturnType<typeof startProcess>, adminPort: number) {
    this.#process = process
    this.#adminPort = adminPort
  }

  /** Resolves once every repo is in the rows. Rejects when that takes longer than five minutes. */
  static async start(options: BusyPipelineOptions): Promise<BusyPipeline> {
    const adminPort = await freePort()
    await using cleanup = new AsyncDisposableStack()
    const { accounts, recordsPerAccount, rate } = options
    const numbers = { accounts, records: recordsPerAccount, rate, 'admin-port': adminPort }
    const flags = Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)])
    const up = cleanup.use(
      startProcess({
        main,
        args: ['up', '--data', options.folder, ...flags],
        env: { REDIS_URL: options.redisUrl, DB_POSTGRES_URL: options.databaseUrl },
      }),
    )
    const pipeline = new BusyPipeline(up, adminPort)
    let hasEnded = false
    void up.ended.then(() => (hasEnded = true))
    const deadline = performance.now() + PATIENCE_MS
    while (!(await pipeline.#isFilled(accounts))) {
      if (hasEnded || performance.now() > deadline)
        throw new Error(
          `the pipeline ${hasEnded ? 'has ended' : 'was not filled in time'}:\n${up.output().stderr.slice(-5_000)}`,
        )
      await sleep(250)
    }
    cleanup.move()
    return pipeline
  }

  /** Runs `millrace <args>` as an operator does, and waits for its end. */
  async ask(...args: readonly string[]): Promise<Asked> {
    const startedAt = performance.now()
    await using command = startProcess({
      main,
      args,
      env: { MILLRACE_ADMIN_URL: `http://127.0.0.1:${this.#adminPort}` },
    })
    const code = await command.ended
    return { ms: performance.now() - startedAt, code }
  }

  /** Asks the admin server itself, and waits for all of its answer. */
  async call(method: string, parameters: Readonly<Record<string, string>> = {}): Promise<Asked> {
    const startedAt = performance.now()
    const url = `http://127.0.0.1:${this.#adminPort}/xrpc/dev.millrace.admin.${method}?${new URLSearchParams(parameters)}`
    const response = await fetch(url)
    await response.arrayBuffer()
    return { ms: performance.now() - startedAt, code: response.status }
  }

  /** Events that were indexed so far. */
  async indexed(): Promise<number> {
    return this.#sum('millrace_indexed_events_total')
  }

  async #isFilled(repos: number): Promise<boolean> {
    return (await this.#sum('millrace_backfill_repos_total').catch(() => 0)) >= repos
  }

  /** A metric of the process, over all of its labels. */
  async #sum(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#adminPort + 1}/metrics`)).text()
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.#process.ended
  }
}
