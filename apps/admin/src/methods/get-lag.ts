import { Pauses, type Pause } from '@millrace/database'
import { distances, isGroupPaused, judgeOnce, oldestWaitingId, probeUpstream, type Probe } from '@millrace/diagnosis'
import { cursorKey, entryTime, hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { eventsOf, knownHosts } from './known-hosts.ts'
import { defineMethod, storeOf, type MethodContext } from './method.ts'

/** Hosts beyond these are not asked. */
const MOST_HOSTS = 20

export const getLag = defineMethod({
  name: 'getLag',
  role: 'viewer',
  run: async (_input, context) => {
    const { sources, signal } = context
    const store = storeOf(context)
    const names = [...new Set(sources.declared.map(({ stream }) => stream))]
    const [statuses, hosts, pauses] = await Promise.all([store.status(names), knownHosts(context), readPauses(sources)])
    const now = Date.now()
    return {
      groups: statuses.flatMap((status) =>
        status.groups.map((group) => {
          const oldest = oldestWaitingId(group, status)
          const { verdict } = isGroupPaused({ stream: status.stream, group: group.name }, pauses, sources.declared)
            ? { verdict: 'paused' }
            : (sources.watch?.judge(group, status, now) ?? judgeOnce(group, status, now))
          return {
            stream: status.stream,
            group: group.name,
            verdict,
            ...(group.undelivered !== null && { waiting: group.pending + group.undelivered }),
            behindSeconds: oldest === null ? 0 : Math.max(0, Math.round((now - entryTime(oldest)) / 1_000)),
          }
        }),
      ),
      hosts: await Promise.all(
        hosts
          .filter(({ stream }) => stream !== streams.repoBackfill)
          .slice(0, MOST_HOSTS)
          .map(async ({ host, stream, checkpoint, checkpointAt }) => {
            const cursor = await store.cursors.get(cursorKey(stream, host))
            const method = eventsOf(stream, sources)
            const probe = await probeUpstream({ url: host, method, cursor, signal }).catch(() => undefined)
            return {
              host: hostWithoutScheme(host),
              stream,
              ...(cursor !== null && { cursor }),
              ...(checkpoint !== null && { checkpoint }),
              ...(checkpointAt && {
                checkpointAgeSeconds: Math.max(0, Math.round((now - checkpointAt.getTime()) / 1_000)),
              }),
              ...(probe ? placeOf(probe) : { position: 'away' }),
            }
          }),
      ),
    }
  },
})

/** Without a database nothing can be paused. */
async function readPauses({ database }: MethodContext['sources']): Promise<Pause[]> {
  return database === undefined || 'why' in database ? [] : await new Pauses(database).list()
}

/** Where our cursor is in what the host keeps. */
function placeOf(probe: Probe) {
  const { position, oldest, next } = probe
  return {
    position,
    ...(oldest && { oldestSeq: oldest.seq }),
    ...(next && { nextSeq: next.seq }),
    ...distances(probe),
  }
}
