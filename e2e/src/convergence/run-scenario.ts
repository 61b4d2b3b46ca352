import { expectedRows, type Anomaly } from '@millrace/oracle'
import { batchOf, deliver } from './deliver.ts'
import { historyOf, NOW, type History } from './history.ts'
import type { Indexers } from './indexers.ts'
import type { Scenario } from './scenario.ts'

const DAY = 86_400_000

/** How often an account may ask to be fetched before we say that it never ends. */
const MOST_FETCHES = 5

export interface Outcome {
  events: number
  anomalies: Anomaly[]
}

/** Has indexers take a history as it arrives, fetches what they ask for, and compares with where it must end. */
export async function runScenario(indexers: Indexers, { steps, delivery }: Scenario): Promise<Outcome> {
  const history = historyOf(steps)
  const { start, said, end, seenAt } = history
  await indexers.clear()
  await indexers.index([[batchOf(start)]])
  await fetchAll(indexers, history, await indexers.index(deliver(said, delivery)))
  const late = delivery.late.filter((place) => place < said.length).map((place) => said[place]!)
  await fetchAll(indexers, history, await indexers.index([[batchOf(late)]]))
  const expected = expectedRows({ ...end, seenAt, now: NOW, notificationHorizonMs: 3 * DAY })
  return { events: start.length + said.length, anomalies: await indexers.compare(expected) }
}

async function fetchAll(indexers: Indexers, { fetch }: History, dirty: ReadonlySet<string>): Promise<void> {
  let left = dirty
  for (let fetches = 0; left.size > 0; fetches++) {
    if (fetches === MOST_FETCHES) throw new Error(`asked for again and again: ${[...left].join(' ')}`)
    left = await indexers.index([[...left].map((did) => batchOf(fetch(did)))])
  }
}
