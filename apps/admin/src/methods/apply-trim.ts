import { backfillEventCodec, streamEventCodec } from '@millrace/stream-protocol'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, noChange, storeOf, wouldChange } from './method.ts'
import { skipEntries, SKIPPED } from './skip-entries.ts'
import { MOST_COUNTED, planTrim } from './trim-plan.ts'

/** How long one call goes on, in milliseconds: whoever asks plans the rest anew. */
const CALL_MS = 30_000

export const applyTrim = defineMethod({
  name: 'applyTrim',
  role: 'operator',
  run: async ({ stream, group, to, hash, acceptLoss = false, reason, dryRun = false }, context) => {
    const store = storeOf(context)
    const plan = await planTrim(store, { stream, group, to })
    const groups = plan.groups.filter(({ loses }) => loses > 0)
    const last = plan.to
    if (groups.length === 0 || last === null)
      return { change: noChange('every group has acked all of it: there is nothing to drop', dryRun), isOver: true }
    const count = groups.reduce((sum, { loses }) => sum + loses, 0)
    const summary = `${count}${count >= MOST_COUNTED ? ' or more' : ''} entries of ${stream} up to ${last} skipped for ${groups.map(({ name }) => name).join(' and ')}: they are dead letters, and a gap`
    if (dryRun) return { change: wouldChange(count, summary), isOver: false }
    const active = groups.filter(({ isActive }) => isActive).map(({ name }) => name)
    if (active.length > 0)
      throw new MethodError(
        'GroupActive',
        `${active.join(' and ')} has consumers that were heard of in the last minutes: stop or pause them first`,
      )
    if (hash !== plan.hash)
      throw new MethodError('PlanStale', 'it is not as it was when this was planned: plan it anew')
    if (!acceptLoss)
      throw new MethodError(
        'NotConfirmed',
        `${count} entries would be dropped that are not acked: repeat it with acceptLoss`,
      )
    const database = databaseOf(context)
    const isRepos = stream === context.sources.repoStream
    let isOver = true
    const change = await audited(
      context,
      {
        method: 'applyTrim',
        target: group === undefined ? stream : `${group} of ${stream}`,
        reason,
        before: groups.map(({ name, loses, status: { lastDeliveredId, pending } }) => ({
          name,
          loses,
          lastDeliveredId,
          pending,
        })),
        after: { to: last },
        // Repos to fetch are found again by comparing their hosts.
        undo: isRepos ? undefined : `millrace dlq retry --stream ${stream} --reason ${SKIPPED}`,
      },
      async () => {
        const field = isRepos ? backfillEventCodec.field : streamEventCodec.field
        const signal = AbortSignal.any([AbortSignal.timeout(CALL_MS), ...(context.signal ? [context.signal] : [])])
        let changed = 0
        for (const { name, status } of groups) {
          const { lastDeliveredId } = status
          const done = await skipEntries({
            store,
            database,
            stream,
            group: name,
            field,
            lastDeliveredId,
            to: last,
            signal,
          })
          changed += done.skipped
          isOver &&= done.isOver
        }
        return { changed, summary: isOver ? summary : `${changed} entries of ${stream} skipped, and not all yet` }
      },
    )
    return { change, isOver }
  },
})
