import type { VNode } from 'preact'

export interface ProgressProps {
  done: number
  failed: number
  total: number
  /** It may still get more. */
  isOpen: boolean
}

/** How much of something is done. */
export function Progress({ done, failed, total, isOpen }: ProgressProps): VNode {
  const share = total > 0 ? Math.max(0, done) / total : isOpen ? 0 : 1
  const failedShare = total > 0 ? failed / total : 0
  return (
    <svg
      class="bar"
      viewBox="0 0 1000 6"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${Math.floor(share * 100)} percent done`}
    >
      <rect class="none" width="1000" height="6" />
      <rect class="done" width={1000 * share} height="6" />
      <rect class="failed" x={1000 * share} width={1000 * failedShare} height="6" />
    </svg>
  )
}
