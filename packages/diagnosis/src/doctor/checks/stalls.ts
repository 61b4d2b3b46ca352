import { valueOf } from '../../answer.ts'
import { isGroupPaused } from '../../pauses.ts'
import { ago } from '../../words.ts'
import { fail, ofStore, ok, type Check } from '../check.ts'

export const stalls: Check = {
  id: 'stalls',
  title: 'Every group acks what waits for it (G11)',
  look: ofStore(({ judged }, { declared, database }) => {
    const pauses = valueOf(database)?.bookkeeping?.pauses ?? []
    const isWanted = (group: (typeof judged)[number]): boolean => isGroupPaused(group, pauses, declared)
    const findings = judged
      .filter((group) => (group.verdict === 'stalled' || group.verdict === 'stopped') && !isWanted(group))
      .map(({ stream, group, verdict, silentSeconds }) =>
        fail(verdict === 'stopped' ? 'group-stopped' : 'group-stalled', {
          subject: `${stream} ${group}`,
          evidence: `${group} of ${stream} has acked nothing for ${ago(silentSeconds)} although entries wait${verdict === 'stopped' ? ', and none of its consumers is heard of' : ''}`,
          meaning:
            verdict === 'stopped'
              ? 'Its indexers or backfillers do not run. What waits longer than relays keep it, about three days, has to be repaired.'
              : 'Its processes ask for entries and finish none: they wait for something, such as Postgres or a host, or fail at all they try.',
          command:
            verdict === 'stopped' ? `millrace consumers ${stream} ${group}` : `millrace pending ${stream} ${group}`,
        }),
      )
    if (findings.length > 0) return findings
    return ok(
      judged.length === 0
        ? 'there is no group yet'
        : judged.map((group) => `${group.stream}: ${isWanted(group) ? 'paused' : group.verdict}`).join(', '),
    )
  }),
}
