import { count } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

export const lostEntries: Check = {
  id: 'lost-entries',
  title: 'No entry left a stream before it was acked (S10)',
  look: ofBookkeeping(({ lostEntries }) =>
    lostEntries === 0
      ? ok('none in the last week')
      : warn('entries-lost', {
          evidence: `${count(lostEntries, 'gap')} in the last week, because entries left a stream before they were acked`,
          meaning:
            'Somebody trimmed a stream, or deleted from it: nothing of ours does. What was lost is found by comparing all hosts.',
          command: 'millrace gaps',
        }),
  ),
}
