import type { GetBackfillOutput } from '@millrace/admin-api'
import { readBackfillStatus, readUpstreams } from '@millrace/database'
import { cursorKey, INGESTER_DONE } from '@millrace/stream-protocol'
import { databaseOf, defineMethod, type MethodContext } from './method.ts'

export const getBackfill = defineMethod({
  name: 'getBackfill',
  role: 'viewer',
  run: async (_input, context) => {
    const [status, lists] = await Promise.all([readBackfillStatus(databaseOf(context)), readLists(context)])
    const { listed, perSecond, etaSeconds, ...rest } = status
    return {
      ...rest,
      isListing: lists.some(({ isDone }) => !isDone),
      lists,
      perMinute: Math.round(perSecond * 60),
      ...(listed !== null && { listed }),
      ...(etaSeconds !== null && { etaSeconds }),
    }
  },
})

/** How far the hosts are whose repos are listed; none is done as far as is known where the store does not answer. */
async function readLists(context: MethodContext): Promise<GetBackfillOutput['lists']> {
  const { store, repoStream, eventStreams } = context.sources
  // Of a relay both its firehose and its list are read, and ingesters say the former alone.
  const hosts = (await readUpstreams(databaseOf(context))).filter(({ stream }) => eventStreams.includes(stream))
  return await Promise.all(
    hosts.map(async ({ host, url }) => {
      const cursor = 'why' in store ? null : await store.cursors.get(cursorKey(repoStream, url))
      return { host, url, isDone: cursor === INGESTER_DONE, ...(cursor !== null && { cursor }) }
    }),
  )
}
