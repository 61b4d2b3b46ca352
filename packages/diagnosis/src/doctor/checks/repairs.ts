import { ago, count } from '../../words.ts'
import { fail, ofBookkeeping, ok, warn, type Check, type Finding } from '../check.ts'

const IDLE_SECONDS = 3_600

export const repairs: Check = {
  id: 'repairs',
  title: 'Repairs get on, and find what we have to be right (O8)',
  look: ofBookkeeping(({ repairs: { paused, idleSeconds, failed, diverged, newest } }) => {
    if (newest === null) return ok('there has been none')
    const command = `millrace repair show ${newest}`
    const findings: Finding[] = []
    if (diverged > 0)
      findings.push(
        fail('rows-diverged', {
          evidence: `${count(diverged, 'repo')} of the last repairs had other rows than their host, at the same revision`,
          meaning:
            'They were made right. After our own indexers alone have written, this is a mistake of ours: please report it.',
          command,
        }),
      )
    if (failed > 0)
      findings.push(
        warn('repair-failures', {
          evidence: `${count(failed, 'repo')} of the last repairs could not be fetched`,
          meaning: 'They stay marked, and are tried again.',
          command: 'millrace repos --state dirty',
        }),
      )
    if (idleSeconds > IDLE_SECONDS)
      findings.push(
        warn('repair-stuck', {
          evidence: `an open repair has not moved for ${ago(idleSeconds)}`,
          meaning: 'No backfiller with this database runs, or its host does not answer.',
          command,
        }),
      )
    if (paused > 0)
      findings.push(
        warn('repair-paused', {
          evidence: `${count(paused, 'repair')} paused`,
          meaning: 'It fetches nothing until it is resumed.',
          command: `millrace repair resume ${newest}`,
        }),
      )
    return findings.length > 0 ? findings : ok('none is stuck, and none found a difference')
  }),
}
