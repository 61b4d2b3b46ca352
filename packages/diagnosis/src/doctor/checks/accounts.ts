import { count } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

export const accounts: Check = {
  id: 'accounts',
  title: 'Hosts are asked how accounts stand (D9)',
  look: ofBookkeeping(({ accounts: { overdue, lastError } }) =>
    overdue === 0
      ? ok('none is overdue')
      : warn('accounts-overdue', {
          evidence: `${count(overdue, 'account')} should have been asked about an hour ago${lastError === null ? '' : `; the last error: ${lastError}`}`,
          meaning: 'No indexer runs, or their hosts do not answer. What was said of them last holds meanwhile.',
          command: 'millrace status',
        }),
  ),
}
