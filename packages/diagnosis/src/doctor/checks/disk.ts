import { valueOf } from '../../answer.ts'
import { bytes } from '../../words.ts'
import { fail, ok, warn, type Check, type Finding } from '../check.ts'

const FULL_BYTES = 256 * 2 ** 20
const NEARLY_FULL = 0.1

export const disk: Check = {
  id: 'disk',
  title: 'There is room on the disks that are of this machine (X22)',
  look: ({ store, database }) => {
    const disks = [
      { of: 'the streams', disk: valueOf(store)?.description.disk },
      { of: 'the database', disk: valueOf(database)?.disk },
    ]
    const findings = disks.flatMap(({ of, disk }) => (disk ? [look(of, disk)] : []))
    return findings.length > 0 ? findings : undefined
  },
}

function look(of: string, { freeBytes, totalBytes }: { freeBytes: number; totalBytes: number }): Finding {
  const evidence = `${bytes(freeBytes)} of ${bytes(totalBytes)} are free where ${of} lie`
  const trouble = { subject: of, evidence, command: 'df -h' }
  if (freeBytes < FULL_BYTES)
    return fail('disk-full', {
      ...trouble,
      meaning: 'It is full: nothing is lost, and nothing goes on until there is room.',
    })
  return freeBytes < totalBytes * NEARLY_FULL
    ? warn('disk-fills', { ...trouble, meaning: 'Less than a tenth is left.' })
    : ok(evidence)
}
