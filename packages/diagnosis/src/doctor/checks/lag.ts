import { entryTime } from '@millrace/stream-protocol'
import { oldestWaitingId } from '../../waiting.ts'
import { ago } from '../../words.ts'
import { ofStore, ok, warn, type Check } from '../check.ts'

const MOST_SECONDS = 600

export const lag: Check = {
  id: 'lag',
  title: 'No entry waits for long',
  look: ofStore(({ streams }, { now }) => {
    const waits = streams.flatMap((status) =>
      status.groups.map((group) => {
        const oldest = oldestWaitingId(group, status)
        return {
          stream: status.stream,
          group: group.name,
          seconds: oldest === null ? 0 : (now - entryTime(oldest)) / 1_000,
        }
      }),
    )
    const late = waits.filter(({ seconds }) => seconds > MOST_SECONDS)
    if (late.length === 0)
      return ok(`the oldest has waited ${ago(Math.max(0, ...waits.map(({ seconds }) => seconds)))}`)
    return late.map(({ stream, group, seconds }) =>
      warn('lag', {
        subject: `${stream} ${group}`,
        evidence: `the oldest entry of ${stream} has waited ${ago(seconds)} for ${group}`,
        meaning: 'Readers of the database see the network as it was then.',
        command: 'millrace lag',
      }),
    )
  }),
}
