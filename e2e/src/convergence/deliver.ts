import type { LabelEvent, StreamEvent } from '@millrace/stream-protocol'
import type { Said } from './history.ts'
import { LANES, type Delivery } from './scenario.ts'

/** What one indexer takes at once. */
export interface SaidBatch {
  events: StreamEvent[]
  labels: LabelEvent[]
}

/** Batches for each indexer, in the order in which they come. A function of values. */
export function deliver(said: readonly Said[], { delays, repeats, cuts, lanes }: Delivery): SaidBatch[][] {
  const sent = [...said.keys(), ...repeats.filter((place) => place < said.length)]
  const arrived = sent
    .map((place, index) => ({ place, at: place + delays[index % delays.length]! }))
    .sort((a, b) => a.at - b.at)
    .map(({ place }) => said[place]!)
  const result = Array.from({ length: LANES }, (): SaidBatch[] => [])
  for (let batch = 0; arrived.length > 0; batch++)
    result[lanes[batch % lanes.length]!]!.push(batchOf(arrived.splice(0, cuts[batch % cuts.length])))
  return result
}

export function batchOf(said: readonly Said[]): SaidBatch {
  return {
    events: said.filter((each) => each.type !== 'label'),
    labels: said.filter((each) => each.type === 'label'),
  }
}
