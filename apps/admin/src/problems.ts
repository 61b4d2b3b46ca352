import type { Problem, Status } from './status.ts'

const MAX_LAG_SECONDS = 600
const MAX_DIRTY_SECONDS = 24 * 60 * 60

/** What a person should look at, in a status that is complete (hazard O6). */
export function findProblems({ streams, database }: Pick<Status, 'streams' | 'database'>): Problem[] {
  const problems: Problem[] = []
  for (const { name, length, lagSeconds, groups } of streams) {
    if (groups.length === 0 && length > 0) {
      problems.push({ code: 'no-group', message: `${name} holds ${length} entries and no group reads it` })
    } else if (lagSeconds > MAX_LAG_SECONDS) {
      problems.push({ code: 'lag', message: `${name}: its oldest unread entry is ${lagSeconds} s old` })
    }
  }
  for (const { name, groups } of streams) {
    for (const { name: group, verdict, silentSeconds = 0 } of groups) {
      if (verdict !== 'stalled' && verdict !== 'stopped') continue
      const who = verdict === 'stopped' ? `no consumer of ${group} is heard of, and it` : group
      problems.push({
        code: verdict,
        message: `${name}: ${who} has acked nothing for ${silentSeconds} s, while entries wait`,
      })
    }
  }
  if (!database) return problems
  const letters = database.deadLetters.reduce((sum, { count }) => sum + count, 0)
  if (letters > 0) problems.push({ code: 'dead-letters', message: `${letters} messages were given up and are open` })
  const { count, oldestAgeSeconds = 0 } = database.dirty
  if (oldestAgeSeconds > MAX_DIRTY_SECONDS) {
    const hours = Math.round(oldestAgeSeconds / 3_600)
    problems.push({ code: 'dirty', message: `${count} accounts wait to be looked at again, one for ${hours} h` })
  }
  if (database.gaps.length > 0) {
    const hosts = [...new Set(database.gaps.map(({ host }) => host))].join(', ')
    problems.push({ code: 'gaps', message: `events of ${hosts} may be missing` })
  }
  return problems
}
