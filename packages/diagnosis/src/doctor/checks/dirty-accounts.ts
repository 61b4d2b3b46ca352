import { ago, count } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check, type Finding } from '../check.ts'

const MOST_SECONDS = 24 * 3_600

export const dirtyAccounts: Check = {
  id: 'dirty-accounts',
  title: 'Accounts that are marked are fetched (G4)',
  look: ofBookkeeping(({ dirty: { count: marked, oldestSeconds, futureRevs, failing } }) => {
    const findings: Finding[] = []
    if (futureRevs > 0)
      findings.push(
        warn('future-revs', {
          evidence: `${count(futureRevs, 'account')} wait because their revisions are in the future`,
          meaning: 'A clock is wrong: ours, or that of their host.',
          command: 'timedatectl',
        }),
      )
    if (oldestSeconds > MOST_SECONDS)
      findings.push(
        warn('dirty-accounts', {
          evidence: `${count(marked, 'account')} wait to be fetched, one for ${ago(oldestSeconds)}; ${failing} have failed before`,
          meaning: 'No backfiller with this database runs, or their hosts do not answer.',
          command: 'millrace repos --state dirty',
        }),
      )
    return findings.length > 0 ? findings : ok(`${count(marked, 'account')} wait`)
  }),
}
