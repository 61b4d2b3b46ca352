import type { SimulatedAccount, SimulatedNetwork } from '@millrace/dev-network'
import { sleep, type Loop } from '@millrace/stream-protocol'

interface Post {
  uri: string
  cid: string
}

/** What people do: posts, replies, likes and follows, some of which they take back. */
export class Traffic implements Loop {
  readonly name = 'traffic'
  readonly #network: SimulatedNetwork
  readonly #everyMs: number
  readonly #posts: Post[] = []
  #written = 0

  /** @param everyMs Pause between two operations, in milliseconds. */
  constructor(network: SimulatedNetwork, everyMs: number) {
    this.#network = network
    this.#everyMs = everyMs
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.write(1)
      await sleep(this.#everyMs, signal)
    }
  }

  /** So many operations at once. */
  async write(operations: number): Promise<void> {
    for (let n = 0; n < operations; n++) await this.#next(this.#written++)
  }

  async #next(n: number): Promise<void> {
    const { accounts } = this.#network
    const author = accounts[(n * 7) % accounts.length]!
    const subject = this.#posts.at(-1 - (n % 11))
    // A second ago: neither firehose nor repo is read before that.
    const createdAt = new Date(Date.now() - 1_000).toISOString()
    switch (n % 6) {
      case 1:
        if (subject) await author.create('app.bsky.feed.like', { subject: { ...subject }, createdAt })
        return
      case 2:
        await author.create('app.bsky.graph.follow', { subject: accounts[n % accounts.length]!.did, createdAt })
        return
      case 3: {
        const reply = subject && { root: { ...subject }, parent: { ...subject } }
        this.#posts.push(
          await author.create('app.bsky.feed.post', { text: `reply ${n}`, createdAt, ...(reply && { reply }) }),
        )
        return
      }
      case 4:
        return await takeBack(author)
      default:
        this.#posts.push(await author.create('app.bsky.feed.post', { text: `post ${n}`, createdAt }))
    }
  }
}

/** Of the records of an account, one in the middle. */
async function takeBack(author: SimulatedAccount): Promise<void> {
  const records = author.records().filter(({ uri }) => !uri.includes('app.bsky.actor'))
  const one = records[Math.floor(records.length / 2)]
  if (one) await author.delete(one.uri)
}
