import { ago, count } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

const IDLE_SECONDS = 3_600

export const runs: Check = {
  id: 'runs',
  title: 'Repos that were fetched are applied to their end (B13)',
  look: ofBookkeeping(({ runs: { count: open, idleSeconds } }) => {
    const evidence = `${count(open, 'repo')} under way`
    return idleSeconds <= IDLE_SECONDS
      ? ok(evidence)
      : warn('run-stuck', {
          evidence: `${evidence}, one without progress for ${ago(idleSeconds)}`,
          meaning:
            'Its last events wait in firehose_backfill, or were given up. An indexer closes it in the end, and it is fetched again.',
          command: 'millrace lag',
        })
  }),
}
