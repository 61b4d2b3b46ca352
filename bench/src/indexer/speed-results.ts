import { exactly, figure, type Result } from '@millrace/testing/results'
import type { Rounds } from '../rounds.ts'
import type { Measurement, SystemName } from '../systems/measurement.ts'

export const titles: Record<SystemName, string> = { ours: 'ours', reference: 'reference', bare: 'bare statements' }

export const perSecond = (measurement: Measurement): number => measurement.perSecond

/** What was measured how often, whether all of it counts, and how fast each was. */
export function speedResults(name: string, systems: readonly SystemName[], rounds: Rounds): Result[] {
  const all = rounds.all()
  const failed = all.filter(({ system }) => system === 'ours').map(({ failed }) => failed)
  const lax = all.filter(({ synchronousCommit }) => synchronousCommit !== 'on')
  return [
    figure(
      `${name}: records`,
      rounds.median('ours', ({ records }) => records),
      'records',
    ),
    figure(`${name}: rounds`, all.length / systems.length, 'rounds'),
    exactly(0, `${name}: runs whose synchronous_commit is not on`, lax.length, 'runs'),
    exactly(0, `${name}: records that failed, ours`, Math.max(...failed), 'records'),
    ...systems.map((system) => figure(`${name}: ${titles[system]}`, rounds.median(system, perSecond), 'records/s')),
  ]
}
