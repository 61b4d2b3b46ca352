import { sleep } from '@millrace/stream-protocol'
import { Client } from 'pg'

const EVERY_MS = 3

/** Watches from a connection of its own for records to become visible. */
export class RowProbe implements AsyncDisposable {
  /** Milliseconds from when a record was expected to when a query found it, in the order in which they were found. */
  readonly latencies: number[] = []
  readonly #client: Client
  readonly #waiting = new Map<string, number>()

  private constructor(client: Client) {
    this.#client = client
  }

  static async open(url: string): Promise<RowProbe> {
    const client = new Client({ connectionString: url })
    await client.connect()
    return new RowProbe(client)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  expect(uris: readonly string[]): void {
    const now = performance.now()
    for (const uri of uris) this.#waiting.set(uri, now)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#waiting.size > 0) await this.#look()
      await sleep(EVERY_MS)
    }
  }

  async #look(): Promise<void> {
    const { rows } = await this.#client.query<{ uri: string }>({
      name: 'look',
      text: 'select uri from bsky.record where uri = any ($1::text[])',
      values: [[...this.#waiting.keys()]],
    })
    const now = performance.now()
    for (const { uri } of rows) {
      this.latencies.push(now - this.#waiting.get(uri)!)
      this.#waiting.delete(uri)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}
