import { count } from '../../words.ts'
import { fail, ofStore, ok, type Check } from '../check.ts'

export const entriesThere: Check = {
  id: 'entries-there',
  title: 'What is pending is in its stream (S10, S11)',
  look: ofStore(({ ghosts }) =>
    ghosts.length === 0
      ? ok('no pending entry that was looked at has left its stream')
      : ghosts.map(({ stream, group, entries }) =>
          fail('entries-vanished', {
            subject: `${stream} ${group}`,
            evidence: `${count(entries, 'entry', 'entries')} pending for ${group} left ${stream}`,
            meaning:
              'Somebody trims the stream, or deletes from it. Their consumer records a gap, and all hosts are compared.',
            command: 'redis-cli -u "$REDIS_URL" info commandstats | grep -E "xtrim|xdel|xadd"',
          }),
        ),
  ),
}
