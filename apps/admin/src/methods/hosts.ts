import type { Host } from '@millrace/admin-api'
import { Pauses, readUpstreams, type Database } from '@millrace/database'
import type { HostState } from '@millrace/repo-backfill'
import { hostWithoutScheme, OWN_PDS } from '@millrace/stream-protocol'

/** Hosts of which something is known, by name: those that ingesters read, and those that backfillers have asked. */
export async function readHosts(database: Database, wanted?: string): Promise<Host[]> {
  const [upstreams, known, failed, pauses] = await Promise.all([
    readUpstreams(database),
    readKnown(database, wanted),
    countFailed(database),
    new Pauses(database).list(),
  ])
  const paused = new Set(
    pauses.filter(({ kind, leftMs }) => kind === 'host' && (leftMs ?? 1) > 0).map(({ name }) => name),
  )
  const streams = Map.groupBy(upstreams, ({ host }) => host)
  const names = new Set([...streams.keys(), ...known.keys(), ...failed.keys()])
  return [...names]
    .filter((host) => host !== '' && host !== OWN_PDS && (wanted === undefined || host === wanted))
    .sort()
    .map((host) => ({
      host,
      streams: streams.get(host)?.map(({ stream }) => stream) ?? [],
      failures: 0,
      failedRepos: failed.get(host) ?? 0,
      state: 'ok' as const,
      ...pacingOf(known.get(host)),
      ...(paused.has(host) && { state: 'paused' as const }),
    }))
}

interface Known {
  state: HostState
  now: number
  askedAt: Date
}

function pacingOf(known: Known | undefined) {
  if (!known) return {}
  const { state, now, askedAt } = known
  const waitMs = state.heldUntil - now
  return {
    state: state.failures > 0 ? 'failing' : waitMs > 1_000 ? 'waiting' : 'ok',
    perMinute: Math.round(state.perSecond * 60),
    failures: state.failures,
    askedAt: askedAt.toISOString(),
    ...(waitMs > 0 && { waitSeconds: Math.ceil(waitMs / 1_000) }),
    ...(state.failedAt > 0 && { failedAt: new Date(state.failedAt).toISOString() }),
  }
}

/** What backfillers have learned, by host. Of one that is named, under either scheme. */
async function readKnown({ pool }: Database, wanted: string | undefined): Promise<Map<string, Known>> {
  const { rows } = await pool.query<{ name: string; value: HostState; askedAt: Date; now: number }>(
    `select name, value, updated_at as "askedAt", (extract(epoch from now()) * 1000)::float8 as now from millrace_state
     where scope = 'hosts' and ($1::text[] is null or name = any ($1))`,
    [wanted === undefined ? null : [`https://${wanted}`, `http://${wanted}`]],
  )
  return new Map(rows.map(({ name, value, askedAt, now }) => [hostWithoutScheme(name), { state: value, askedAt, now }]))
}

/** Repos that were given up, by the host that did not give them. */
async function countFailed({ pool }: Database): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ host: string; count: number }>(
    `select host, count(distinct did)::int as count from millrace_dead_letter
     where state = 'kept' and uri is null and did is not null and host is not null group by host`,
  )
  const counts = new Map<string, number>()
  for (const { host, count } of rows)
    counts.set(hostWithoutScheme(host), (counts.get(hostWithoutScheme(host)) ?? 0) + count)
  return counts
}
