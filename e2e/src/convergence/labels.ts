import { cidOf, EVENT_TIME } from '@millrace/indexing/testing'
import type { FinalLabel } from '@millrace/oracle'
import { recordUri, type Label, type LabelEvent } from '@millrace/stream-protocol'
import { collections } from './contents.ts'
import { accountAt, labelers, slotAt } from './people.ts'
import type { Step } from './step.ts'

/** A label, or the end of one: of few subjects and values, so that they meet. */
export function labelOf({ account, slot, target, variant, removes, when }: Step, seq: number): FinalLabel {
  // Later ones are later in time as well.
  const cts = new Date(Date.parse(EVENT_TIME) - 60_000 + seq * 1_000).toISOString()
  const did = accountAt(target % 2)
  return {
    seq,
    src: labelers[account === 3 ? 1 : 0],
    uri: slot === 0 ? did : recordUri({ did, collection: collections.post, rkey: slotAt(0) }),
    cid: slot === 2 || variant % 3 === 0 ? cidOf(['version', variant % 2]) : undefined,
    val: ['spam', 'spam', 'spam', 'rude', 'nul \u0000'][variant % 5]!,
    neg: removes || (when % 2 === 1 ? false : undefined),
    cts: when % 3 === 0 ? cts.replace('.000Z', 'Z') : cts,
    exp: when % 4 === 3 ? '2027-01-01T00:00:00Z' : undefined,
  }
}

/** A label as it comes: what it does not say is not there. */
export function labelEvent({ seq, ...label }: FinalLabel): LabelEvent {
  return { type: 'label', label: JSON.parse(JSON.stringify(label)) as Label, seq, host: 'labeler.test' }
}
