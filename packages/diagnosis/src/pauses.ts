import type { Pause } from '@millrace/database'
import type { DeclaredStream } from './doctor/facts.ts'

/** Whether somebody wants a group to stand still: by its own name, or by the role that reads it. */
export function isGroupPaused(
  { stream, group }: Pick<DeclaredStream, 'stream' | 'group'>,
  pauses: readonly Pause[],
  declared: readonly DeclaredStream[],
): boolean {
  const role = declared.find((each) => each.stream === stream && each.group === group)?.role
  return pauses.some(
    ({ kind, name, leftMs }) =>
      (leftMs ?? 1) > 0 && ((kind === 'group' && name === group) || (kind === 'role' && name === role)),
  )
}

/** Time after which a pause without an end was probably forgotten, in milliseconds. */
const LONG_MS = 86_400_000
/** Processes look every few seconds. */
const OVER_MS = 60_000

/** Why a pause is to be looked at, if it is. */
export function pauseTrouble({ since, leftMs }: Pause, now: number): 'over' | 'forgotten' | undefined {
  if (leftMs !== null) return leftMs < -OVER_MS ? 'over' : undefined
  return now - since.getTime() > LONG_MS ? 'forgotten' : undefined
}
