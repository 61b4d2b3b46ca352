import { count } from '../../words.ts'
import { ofBookkeeping, ok, warn, type Check } from '../check.ts'

export const deadLetters: Check = {
  id: 'dead-letters',
  title: 'Nothing was given up',
  look: ofBookkeeping(({ letters }) => {
    const total = letters.reduce((sum, { count }) => sum + count, 0)
    if (total === 0) return ok('no dead letter is open')
    const reasons = letters.map(({ reason }) => reason)
    return warn('dead-letters', {
      evidence: `${count(total, 'dead letter')}: ${reasons.slice(0, 5).join(', ')}${reasons.length > 5 ? ', …' : ''}`,
      meaning: 'Most are records that their lexicon forbids, and may stay. Many of one kind at once are worth a look.',
      command: 'millrace dlq',
    })
  }),
}
