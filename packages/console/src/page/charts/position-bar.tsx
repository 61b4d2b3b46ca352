import type { VNode } from 'preact'
import { amount } from '../words/amount.ts'

/** What a group has in hand, and what it has not read: how it stands in its stream. */
export function PositionBar({ pending, unread }: { pending: number; unread: number }): VNode {
  const total = pending + unread
  const share = total === 0 ? 0 : pending / total
  return (
    <div class="position">
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="none" width="1000" height="10" />
        {total > 0 && <rect class="pending" width={1000 * share} height="10" />}
        {total > 0 && <rect class="unread" x={1000 * share} width={1000 * (1 - share)} height="10" />}
      </svg>
      <p>
        {total === 0 ? (
          'Everything is acked.'
        ) : (
          <>
            <span class="pending">{amount(pending)} in hand</span>
            <span class="unread">{amount(unread)} not read</span>
          </>
        )}
      </p>
    </div>
  )
}
