import { ago } from '../../words.ts'
import { fail, ok, type Check } from '../check.ts'

const MOST_MS = 120_000

export const clock: Check = {
  id: 'clock',
  title: 'The clocks agree (J13)',
  look: ({ clocks }) => {
    if (clocks.length === 0) return undefined
    const off = clocks.filter(({ aheadMs }) => Math.abs(aheadMs) > MOST_MS)
    if (off.length === 0) {
      const most = Math.max(...clocks.map(({ aheadMs }) => Math.abs(aheadMs)))
      return ok(
        `ours is within ${(most / 1_000).toFixed(1)} s of those of ${clocks.map(({ of }) => `the ${of}`).join(' and ')}`,
      )
    }
    return off.map(({ of, aheadMs }) =>
      fail('clock-skew', {
        subject: of,
        evidence: `our clock is ${ago(Math.abs(aheadMs) / 1_000)} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the ${of}`,
        meaning: 'Revisions of the present look like ones of the future, and wait; ages and leases are wrong.',
        command: 'timedatectl',
      }),
    )
  },
}
