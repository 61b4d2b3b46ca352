import { valueOf } from '../../answer.ts'
import { ago } from '../../words.ts'
import { ofDatabase, ok, warn, type Check } from '../check.ts'

const MOST_SECONDS = 600

export const freshness: Check = {
  id: 'freshness',
  title: 'New rows arrive while the network writes (O5)',
  look: ofDatabase(({ newestRow }, { now, upstreams, store }) => {
    if (newestRow === null) return undefined
    const age = (now - newestRow.getTime()) / 1_000
    const evidence = `the newest post is ${ago(age)} old`
    if (age <= MOST_SECONDS) return ok(evidence)
    // Entries that wait are told elsewhere; here it is about events that came, and left no rows.
    const next = Math.max(
      0,
      ...upstreams
        .map(({ probe }) => Date.parse(valueOf(probe)?.next?.time ?? ''))
        .filter((time) => !Number.isNaN(time)),
    )
    const isEmpty = valueOf(store)?.streams.every(({ length }) => length === 0) === true
    if ((next - newestRow.getTime()) / 1_000 <= MOST_SECONDS || !isEmpty)
      return ok(`${evidence}, and no host has newer events that nobody has`)
    return warn('rows-stale', {
      evidence: `${evidence}, hosts have events of ${ago((now - next) / 1_000)} ago, and the streams are empty`,
      meaning: 'Events are not read, or leave no rows; or nobody has posted for a while, in a small network.',
      command: 'millrace freshness',
    })
  }),
}
