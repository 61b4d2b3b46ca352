import { isDeserted, oldestWaitingId } from '../../waiting.ts'
import { count } from '../../words.ts'
import { ofStore, ok, warn, type Check } from '../check.ts'

export const groupsInUse: Check = {
  id: 'groups-in-use',
  title: 'No group that nobody uses keeps entries (S1)',
  look: ofStore(({ streams }, { declared }) => {
    const findings = streams.flatMap((status) =>
      status.groups
        .filter(({ name }) => !declared.some(({ stream, group }) => stream === status.stream && group === name))
        .filter((group) => isDeserted(group) && oldestWaitingId(group, status) !== null)
        .map(({ name, undelivered, pending }) =>
          warn('group-unused', {
            subject: `${status.stream} ${name}`,
            evidence: `${name} of ${status.stream} has no consumer that is heard of, and ${undelivered === null ? 'entries' : count(undelivered + pending, 'entry', 'entries')} that it has not acked`,
            meaning:
              'An entry goes once every group has acked it: for a group that is no more, none ever goes, and the stream fills up.',
            command: `millrace groups ${status.stream}`,
          }),
        ),
    )
    return findings.length > 0 ? findings : ok('every group that has entries waiting is read, or is one of ours')
  }),
}
