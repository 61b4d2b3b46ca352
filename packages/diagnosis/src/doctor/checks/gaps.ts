import { ago } from '../../words.ts'
import { fail, ofBookkeeping, ok, warn, type Check } from '../check.ts'

/** Backfillers plan a repair half a minute after a gap was recorded. */
const PLANNED_SECONDS = 300

export const gaps: Check = {
  id: 'gaps',
  title: 'No events of a host may be missing (I7, I8)',
  look: ofBookkeeping(({ gaps }, { now }) => {
    if (gaps.length === 0) return ok('no gap is open')
    return gaps.slice(0, 10).map(({ host, stream, reason, openedAt, repair }) => {
      const age = (now - openedAt.getTime()) / 1_000
      const evidence = `${host === '' ? 'any host' : host}, ${stream}: ${reason}, ${ago(age)} ago${repair === null ? '' : `, repair ${repair}`}`
      const subject = host === '' ? stream : `${host} ${stream}`
      if (repair !== null)
        return warn('gap-open', {
          subject,
          evidence,
          meaning: 'What is missing is being fetched.',
          command: `millrace repair show ${repair}`,
        })
      const trouble = { subject, evidence, command: `millrace repair${host === '' ? '' : ` --host ${host}`}` }
      return age > PLANNED_SECONDS
        ? fail('gap-without-repair', {
            ...trouble,
            meaning: 'Rows are missing, and nobody plans a repair: no backfiller with this database runs.',
          })
        : warn('gap-open', { ...trouble, meaning: 'Rows may be missing. A backfiller plans a repair within a minute.' })
    })
  }),
}
