import { cursorKey, hostWithoutScheme, INGESTER_DONE } from '@millrace/stream-protocol'
import { knownHosts } from './known-hosts.ts'
import { defineMethod, storeOf } from './method.ts'

export const listCursors = defineMethod({
  name: 'listCursors',
  role: 'viewer',
  run: async (_input, context) => {
    const { cursors } = storeOf(context)
    const hosts = await knownHosts(context)
    return {
      cursors: await Promise.all(
        hosts.map(async ({ host, stream, checkpoint, checkpointAt, seenAt }) => {
          const cursor = await cursors.get(cursorKey(stream, host))
          return {
            stream,
            host: hostWithoutScheme(host),
            isDone: cursor === INGESTER_DONE,
            ...(cursor !== null && { cursor }),
            ...(checkpoint !== null && { checkpoint }),
            ...(checkpointAt && { checkpointAt: checkpointAt.toISOString() }),
            ...(seenAt && { seenAt: seenAt.toISOString() }),
          }
        }),
      ),
    }
  },
})
