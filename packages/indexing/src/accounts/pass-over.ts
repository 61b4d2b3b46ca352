import { isGuarded } from '@millrace/failpoints'
import type { StreamEvent } from '@millrace/stream-protocol'
import { compareText } from '../values.ts'
import { isPassedOver, type HeldAccount } from './account-state.ts'

/** What a batch holds of accounts that are not simply there. */
export interface PassedOver {
  /** Positions of commits and syncs that are not applied. */
  passedOver: ReadonlySet<number>
  /** Accounts whose status they put in doubt, in byte order. */
  inDoubt: string[]
}

/** Commits and syncs that are not applied, and accounts whose status they put in doubt (hazard I23). */
export function passOver(events: readonly StreamEvent[], hidden: ReadonlyMap<string, HeldAccount>): PassedOver {
  const passedOver = new Set<number>()
  const inDoubt = new Set<string>()
  if (hidden.size === 0) return { passedOver, inDoubt: [] }
  for (const [index, event] of events.entries()) {
    const account = hidden.get(event.did)
    if (!account || account.hidden === null || event.type === 'account' || event.type === 'identity') continue
    const isOver = isGuarded('passed-over') && isPassedOver(event, account)
    if (isOver) passedOver.add(index)
    if (isOver || !account.held) inDoubt.add(event.did)
  }
  return { passedOver, inDoubt: [...inDoubt].sort(compareText) }
}
