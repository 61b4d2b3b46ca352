import type { CreateEvent } from '@millrace/stream-protocol'
import { generateWorkload, type WorkloadOptions } from './workload.ts'

/** So many creates of the live mix, each of a record that there was not before. */
export function newRecords(count: number, options: Omit<WorkloadOptions, 'events'> = {}): CreateEvent[] {
  // Deletions and profiles, which may come twice, are far less than half.
  return generateWorkload({ ...options, events: count * 2 })
    .filter((event) => event.type === 'create')
    .filter((event) => event.rkey !== 'self')
    .slice(0, count)
}
