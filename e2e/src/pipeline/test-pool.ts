import { Pool, type PoolClient } from 'pg'

/** A pool that is closed when it goes out of scope: also when a test fails, so that its database can be dropped. */
export class TestPool extends Pool implements AsyncDisposable {
  readonly #clients = new Set<PoolClient>()

  constructor(url: string) {
    super({ connectionString: url })
    this.on('connect', (client) => {
      this.#clients.add(client)
      // Also those that the pool closes because nobody used them.
      client.once('end', () => this.#clients.delete(client))
    })
  }

  /** `end` resolves when the server has been told, this when the connections are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    const gone = [...this.#clients].map((client) => new Promise<void>((resolve) => client.once('end', () => resolve())))
    await this.end()
    await Promise.all(gone)
  }
}
