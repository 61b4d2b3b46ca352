import type { RowDifference } from './compare-rows.ts'
import type { WorkloadFacts } from './workload-facts.ts'

/** A difference that is meant. */
export interface KnownDifference {
  name: string
  reason: string
  /** True when our row is what the events ask for; that it is other than the reference's is not enough. */
  explains(difference: RowDifference, facts: WorkloadFacts): boolean
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    name: 'the newest version counts',
    reason: 'a second create of a record key replaces the first, as in the repo; the reference keeps the first',
    explains: ({ table, ours, reference }, facts) =>
      ['record', 'profile'].includes(table) &&
      ours !== null &&
      reference !== null &&
      ours['cid'] === facts.cid(String(ours['uri'])),
  },
  {
    name: 'a duplicate that took over is none',
    reason:
      'when the record that counted is deleted, its first duplicate takes its place, leaves duplicate_record, and the others point at it; the reference leaves them as they were',
    explains: ({ table, key, ours }, facts) => {
      if (table !== 'duplicate_record') return false
      const holder = facts.holder(key)
      return holder === key || holder === null ? ours === null : ours?.['duplicateOf'] === holder
    },
  },
  {
    name: 'a duplicate repost is no feed item',
    reason: 'the second repost of a post by one account is one item; the reference inserts the item before it notices',
    explains: ({ table, key, ours }, facts) =>
      table === 'feed_item' && ours === null && facts.rivals(key).length > 1 && facts.holder(key) !== key,
  },
  {
    name: 'notifications go with their record',
    reason:
      'the notification of a deleted record goes, and one that took its place notifies; the reference keeps the old one',
    explains: ({ table, ours, reference }, facts) => {
      if (table !== 'notification') return false
      const uri = String((ours ?? reference)?.['recordUri'])
      const tookPlace = facts.rivals(uri).length > 1
      return ours ? reference === null && tookPlace && facts.holder(uri) === uri : tookPlace && facts.cid(uri) === null
    },
  },
  {
    name: 'counts of zero need no row',
    reason: 'a like that came and went within a batch leaves none; readers take a missing row for zeros',
    explains: ({ table, ours, reference }) =>
      ['post_agg', 'profile_agg'].includes(table) &&
      ours === null &&
      Object.entries(reference ?? {}).every(([name, value]) => !name.endsWith('Count') || value === 0),
  },
]
