import type { SimulatedNetwork } from '@millrace/dev-network'

const HOUR_MS = 3_600_000
const COMMITS_PER_HOUR = 4

export interface HoursOptions {
  network: SimulatedNetwork
  /** How many hours ago the first one began, and the last one. */
  from: number
  to: number
  postsPerHour: number
}

/** Writes as many posts as if each of some hours had just gone by: what takes days is staged in seconds. */
export async function writeHours({ network, from, to, postsPerHour }: HoursOptions): Promise<void> {
  const thisHour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  const writers = network.accounts.slice(0, -1)
  for (let ago = from; ago >= to; ago--)
    for (let commit = 0; commit < COMMITS_PER_HOUR; commit++) {
      // Some hours are busier than others.
      const posts = Math.round((postsPerHour / COMMITS_PER_HOUR) * (0.78 + 0.22 * Math.sin(ago / 4)))
      const at = Math.min(thisHour - ago * HOUR_MS + (commit / COMMITS_PER_HOUR) * HOUR_MS, Date.now())
      await writers[(ago + commit) % writers.length]!.applyWrites(
        Array.from({ length: posts }, (_, index) => ({
          action: 'create',
          collection: 'app.bsky.feed.post',
          record: { text: `post ${index} of ${ago} hours ago`, createdAt: new Date(at + index).toISOString() },
        })),
      )
    }
}
