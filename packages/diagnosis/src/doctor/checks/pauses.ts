import { pauseTrouble } from '../../pauses.ts'
import { ago } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

export const pauses: Check = {
  id: 'pauses',
  title: 'Nothing stands still that was only to be paused (O6)',
  look: ofBookkeeping(({ pauses }, { now }) => {
    const findings = pauses.flatMap((pause) => {
      const { kind, name, who, reason, since, leftMs } = pause
      const trouble = pauseTrouble(pause, now)
      if (trouble === undefined) return []
      if (trouble === 'over')
        return warn('pause-over', {
          subject: `${kind} ${name}`,
          evidence: `the pause of ${kind} ${name} was over ${ago(-(leftMs ?? 0) / 1_000)} ago, and is still noted`,
          meaning: 'No process with this database looks at what is paused: none runs, or none reaches it.',
          command: 'millrace consumers',
        })
      const seconds = (now - since.getTime()) / 1_000
      return warn('pause-forgotten', {
        subject: `${kind} ${name}`,
        evidence: `${who} paused ${kind} ${name} ${ago(seconds)} ago, without an end: ${reason}`,
        meaning: 'It stands still until somebody resumes it. What relays keep for about three days is lost then.',
        command: `millrace resume ${name} --kind ${kind}`,
      })
    })
    if (findings.length > 0) return findings
    if (pauses.length === 0) return ok('nothing is paused')
    return ok(
      pauses
        .map(({ kind, name, leftMs, reason }) => {
          const end = leftMs === null ? '' : ` for another ${ago(Math.max(0, leftMs) / 1_000)}`
          return `${kind} ${name} is paused${end}: ${reason}`
        })
        .join(', '),
    )
  }),
}
