import { count } from '../../words.ts'
import { fail, ofStore, ok, warn, type Check, type Finding } from '../check.ts'

export const groupsFound: Check = {
  id: 'groups-found',
  title: 'Each stream is read by the group that has to read it (S4)',
  look: ofStore(({ streams }, { declared }) => {
    const findings: Finding[] = []
    for (const { stream, group } of declared) {
      const status = streams.find((each) => each.stream === stream)
      if (!status || status.groups.some(({ name }) => name === group)) continue
      const others = status.groups.map(({ name }) => name)
      const trouble = {
        subject: `${stream} ${group}`,
        evidence: `${stream} has no group ${group}${others.length > 0 ? `, but ${others.join(', ')}` : ''}, and ${count(status.length, 'entry', 'entries')}`,
        command: `millrace groups ${stream}`,
      }
      findings.push(
        status.length === 0
          ? warn('group-not-yet', {
              ...trouble,
              meaning: 'Nobody has read it yet: the process that does makes its group when it starts.',
            })
          : fail('group-missing', {
              ...trouble,
              meaning: 'Nobody reads it: its indexer or backfiller has never run, or goes by another group.',
            }),
      )
    }
    return findings.length > 0 ? findings : ok(declared.map(({ stream, group }) => `${stream}: ${group}`).join(', '))
  }),
}
