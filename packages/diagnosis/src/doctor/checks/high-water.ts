import { count } from '../../words.ts'
import { ofStore, ok, warn, type Check } from '../check.ts'

export const highWater: Check = {
  id: 'high-water',
  title: 'No stream is at its high water mark',
  look: ofStore(({ streams }, { declared }) => {
    const full = declared.flatMap(({ stream, highWaterMark }) => {
      const length = streams.find((each) => each.stream === stream)?.length ?? 0
      return length >= highWaterMark ? [{ stream, length, highWaterMark }] : []
    })
    if (full.length === 0) return ok(streams.map(({ stream, length }) => `${stream}: ${length}`).join(', '))
    return full.map(({ stream, length, highWaterMark }) =>
      warn('stream-full', {
        subject: stream,
        evidence: `${stream} has ${count(length, 'entry', 'entries')}, its high water mark is ${highWaterMark}`,
        meaning:
          'Whoever writes to it waits until there are fewer. Do not trim it: what is trimmed is lost. Have it read faster.',
        command: 'millrace lag',
      }),
    )
  }),
}
