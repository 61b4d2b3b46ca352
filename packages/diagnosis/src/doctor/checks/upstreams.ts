import { hostWithoutScheme } from '@millrace/stream-protocol'
import { distances } from '../../upstream/distances.ts'
import { ago } from '../../words.ts'
import { fail, ok, warn, type Check, type Finding } from '../check.ts'
import type { UpstreamFacts } from '../facts.ts'

export const upstreams: Check = {
  id: 'upstreams',
  title: 'Hosts answer, and still have what comes after our cursor (I7, I8)',
  look: ({ upstreams }) => (upstreams.length === 0 ? undefined : upstreams.map(look)),
}

function look({ host, stream, cursor, probe }: UpstreamFacts): Finding {
  const name = `${hostWithoutScheme(host)} (${stream})`
  const subject = `${hostWithoutScheme(host)} ${stream}`
  const command = 'millrace cursor'
  if (!probe.ok)
    return fail('host-away', {
      subject,
      evidence: `${name}: ${probe.why}`,
      meaning: 'It cannot be reached from here. Ingesters go on trying, and go on from their cursor.',
      command: `curl -sS ${host.includes('://') ? host : `https://${host}`}/xrpc/_health`,
    })
  const { position, oldest, next } = probe.value
  if (position === 'future')
    return fail('future-cursor', {
      subject,
      evidence: `${name}: our cursor ${cursor} is beyond its newest event`,
      meaning:
        'The host lost its sequence, or is another one: nothing is read from it, and nothing will be until the cursor is set.',
      command: `millrace cursor set ${hostWithoutScheme(host)} --to oldest`,
    })
  if (position === 'outdated')
    return fail('outdated-cursor', {
      subject,
      evidence: `${name}: our cursor ${cursor} is before its oldest event${oldest ? `, ${oldest.seq}` : ''}`,
      meaning:
        'Events between the two are lost there. An ingester that connects records a gap, and what has moved is fetched.',
      command: `millrace repair --host ${hostWithoutScheme(host)}`,
    })
  const { behindSeconds = 0, timeToLossSeconds } = distances(probe.value)
  if (timeToLossSeconds === undefined)
    return ok(
      `${name}: ${cursor === null ? 'no cursor yet' : `cursor ${cursor}, ${next ? `and it has event ${next.seq}` : 'nothing newer there'}`}`,
    )
  const evidence = `${name}: our cursor is ${ago(behindSeconds)} behind; the host keeps ${ago(timeToLossSeconds)} of what is before it`
  return behindSeconds > timeToLossSeconds
    ? warn('window-half-used', {
        subject,
        evidence,
        meaning: 'More than half of what the host keeps is used up: soon it will have forgotten what we have not read.',
        command,
      })
    : ok(evidence)
}
