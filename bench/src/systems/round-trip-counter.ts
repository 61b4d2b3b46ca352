import type { Socket } from 'node:net'
import type { Pool, PoolClient } from 'pg'

/**
 * Counts at the sockets of a pool's connections: each time that something is sent on one after an answer came is a
 * round trip. What is sent together is one, and what is sent while answers still come in may count too often, never
 * too rarely.
 */
export class RoundTripCounter {
  #count = 0
  readonly #watched = new WeakSet<PoolClient>()

  constructor(pool: Pool) {
    pool.on('acquire', (client) => this.#watch(client))
  }

  get count(): number {
    return this.#count
  }

  #watch(client: PoolClient): void {
    if (this.#watched.has(client)) return
    this.#watched.add(client)
    // The driver has no type for it.
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
    let answered = true
    stream.on('data', () => (answered = true))
    const write = stream.write.bind(stream)
    stream.write = ((...args: Parameters<typeof write>) => {
      if (answered) this.#count++
      answered = false
      return write(...args)
    }) as typeof write
  }
}
