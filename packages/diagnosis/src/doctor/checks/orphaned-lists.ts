import { SILENT_MS } from '../../waiting.ts'
import { ago, count } from '../../words.ts'
import { fail, ofStore, ok, warn, type Check } from '../check.ts'

/** Others take over what a silent consumer has: indexers after a minute, backfillers after 20. */
const TAKEN_OVER_MS = 30 * 60_000

export const orphanedLists: Check = {
  id: 'orphaned-lists',
  title: 'No consumer that is gone has entries in hand (S6)',
  look: ofStore(({ streams }) => {
    const findings = streams.flatMap(({ stream, groups }) =>
      groups.flatMap(({ name: group, consumers }) =>
        consumers
          .filter(({ pending, idleMs }) => pending > 0 && idleMs > SILENT_MS)
          .map(({ name, pending, idleMs }) => {
            const trouble = {
              subject: `${stream} ${group} ${name}`,
              evidence: `${name} of ${group} has ${count(pending, 'entry', 'entries')} of ${stream} in hand, and was not heard of for ${ago(idleMs / 1_000)}`,
              command: `millrace consumers ${stream} ${group}`,
            }
            return idleMs > TAKEN_OVER_MS
              ? fail('entries-abandoned', {
                  ...trouble,
                  meaning:
                    'Another consumer of the group should have taken them over: there is none, or it stands still.',
                })
              : warn('consumer-gone', {
                  ...trouble,
                  meaning:
                    'It was stopped or killed. Another consumer takes them over: of an indexer after a minute, of a backfiller after 20.',
                })
          }),
      ),
    )
    return findings.length > 0 ? findings : ok('all that is in hand has a consumer that is heard of')
  }),
}
