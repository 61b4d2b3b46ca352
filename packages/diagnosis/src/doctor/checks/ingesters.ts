import { ago } from '../../words.ts'
import { fail, ofBookkeeping, ok, type Check } from '../check.ts'

/** Ingesters say every few seconds what they read. */
const MOST_SECONDS = 300

export const ingesters: Check = {
  id: 'ingesters',
  title: 'Every host is being read (I4)',
  look: ofBookkeeping(({ upstreams }) => {
    const read = upstreams.filter(({ seenSeconds }) => seenSeconds !== null)
    if (read.length === 0) return ok('no ingester has read a firehose yet')
    const silent = read.filter(({ seenSeconds }) => seenSeconds! > MOST_SECONDS)
    if (silent.length === 0) return ok(read.map(({ host, stream }) => `${host} into ${stream}`).join(', '))
    return silent.map(({ host, stream, seenSeconds }) =>
      fail('host-unread', {
        subject: `${host} ${stream}`,
        evidence: `no ingester of ${host} (${stream}) was heard of for ${ago(seenSeconds!)}`,
        meaning: 'Nobody reads it. What the relay forgets meanwhile, after about three days, has to be repaired.',
        command: 'millrace cursor',
      }),
    )
  }),
}
