import type { GetLagHistoryOutput } from '@millrace/admin-api'
import { oldestWaitingId, probeUpstream } from '@millrace/diagnosis'
import { hastened } from '@millrace/failpoints'
import { ageSeconds } from '@millrace/runtime'
import { hostWithoutScheme, silentLogger, sleep, streams, type Logger, type Loop } from '@millrace/stream-protocol'
import type { AdminSources } from './admin-sources.ts'
import { eventsOf, knownHosts } from './methods/known-hosts.ts'

export interface LagHistoryOptions {
  sources: Pick<AdminSources, 'store' | 'declared' | 'cursors' | 'database' | 'labelStream'>
  /** How often groups are looked at, in milliseconds. @default 15 s */
  everyMs?: number
  /** How often hosts are asked for the oldest event that they keep, in milliseconds. @default 5 min */
  hostsEveryMs?: number
  /** @default a day */
  keepMs?: number
  logger?: Logger
}

/** What was seen of one group or host at one time. */
interface Sample {
  at: number
  seconds: number
}

interface Track {
  stream: string
  name: string
  samples: Sample[]
}

/** Points that are drawn of one line: more nobody sees. */
const MOST_POINTS = 360
/** Hosts beyond these are not asked. */
const MOST_HOSTS = 20

/** Remembers for a day how far groups were behind, and how far back hosts could replay. It is gone with the process. */
export class LagHistory implements Loop {
  readonly name = 'lag-history'
  readonly #sources: LagHistoryOptions['sources']
  readonly #everyMs: number
  readonly #hostsEveryMs: number
  readonly #keepMs: number
  readonly #logger: Logger
  readonly #groups = new Map<string, Track>()
  readonly #hosts = new Map<string, Track>()

  constructor({
    sources,
    everyMs = hastened(15_000),
    hostsEveryMs = hastened(300_000),
    keepMs = 86_400_000,
    logger = silentLogger,
  }: LagHistoryOptions) {
    this.#sources = sources
    this.#everyMs = everyMs
    this.#hostsEveryMs = hostsEveryMs
    this.#keepMs = keepMs
    this.#logger = logger.child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    let hostsAt = -Infinity
    while (!signal.aborted) {
      try {
        await this.lookAtGroups(Date.now())
        if (performance.now() - hostsAt >= this.#hostsEveryMs) {
          hostsAt = performance.now()
          await this.lookAtHosts(signal)
        }
      } catch (error) {
        if (!signal.aborted) this.#logger.warn({ err: error }, 'cannot see now how far groups are behind')
      }
      await sleep(this.#everyMs, signal)
    }
  }

  async lookAtGroups(now: number): Promise<void> {
    const { store, declared } = this.#sources
    if ('why' in store) return
    const statuses = await store.status([...new Set(declared.map(({ stream }) => stream))])
    for (const status of statuses)
      for (const group of status.groups) {
        const seconds = Math.round(ageSeconds(oldestWaitingId(group, status), now))
        this.#keep(this.#groups, { stream: status.stream, name: group.name }, { at: now, seconds })
      }
  }

  async lookAtHosts(signal?: AbortSignal): Promise<void> {
    const hosts = (await knownHosts({ sources: this.#sources })).filter(({ stream }) => stream !== streams.repoBackfill)
    await Promise.all(
      hosts.slice(0, MOST_HOSTS).map(async ({ host, stream }) => {
        const method = eventsOf(stream, this.#sources)
        // One that does not answer has no point: how far back it could replay is not known.
        const probe = await probeUpstream({ url: host, method, cursor: null, signal }).catch(() => undefined)
        const oldestAt = Date.parse(probe?.oldest?.time ?? '')
        // A host that has its first event has forgotten nothing.
        if (!probe?.oldest || probe.oldest.seq <= 1 || Number.isNaN(oldestAt)) return
        const seconds = Math.max(0, Math.round((probe.askedAt - oldestAt) / 1_000))
        this.#keep(this.#hosts, { stream, name: hostWithoutScheme(host) }, { at: probe.askedAt, seconds })
      }),
    )
  }

  /** What was seen since a time. */
  since(from: number): GetLagHistoryOutput {
    const drawn = ({ samples }: Track): Sample[] => thinned(samples.filter(({ at }) => at >= from))
    return {
      groups: [...this.#groups.values()].map((track) => ({
        stream: track.stream,
        group: track.name,
        points: drawn(track).map(({ at, seconds }) => ({ at: new Date(at).toISOString(), behindSeconds: seconds })),
      })),
      hosts: [...this.#hosts.values()].map((track) => ({
        stream: track.stream,
        host: track.name,
        points: drawn(track).map(({ at, seconds }) => ({ at: new Date(at).toISOString(), windowSeconds: seconds })),
      })),
    }
  }

  #keep(tracks: Map<string, Track>, { stream, name }: Omit<Track, 'samples'>, sample: Sample): void {
    const key = JSON.stringify([stream, name])
    const track = tracks.get(key) ?? { stream, name, samples: [] }
    tracks.set(key, track)
    track.samples.push(sample)
    const first = track.samples.findIndex(({ at }) => at >= sample.at - this.#keepMs)
    if (first > 0) track.samples.splice(0, first)
  }
}

/** As many as are drawn. Of those that lie together the greatest is kept, so that no peak is lost. */
function thinned(samples: readonly Sample[]): Sample[] {
  const together = Math.ceil(samples.length / MOST_POINTS)
  if (together <= 1) return [...samples]
  return Array.from({ length: Math.ceil(samples.length / together) }, (_, index) =>
    samples.slice(index * together, (index + 1) * together).reduce((a, b) => (b.seconds > a.seconds ? b : a)),
  )
}
