import type { GetLagHistoryOutput } from '@millrace/admin-api'
import { oldestWaitingId, valueOf, type DoctorFacts } from '@millrace/diagnosis'
import { ageSeconds } from '@millrace/runtime'
import { hostWithoutScheme } from '@millrace/stream-protocol'

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
/** Remembers for a day how far groups were behind, and how far back hosts could replay. It is gone with the process. */
export class LagHistory {
  readonly #keepMs: number
  readonly #groups = new Map<string, Track>()
  readonly #hosts = new Map<string, Track>()

  /** `keepMs`: how long it remembers. @default a day */
  constructor({ keepMs = 86_400_000 }: { keepMs?: number } = {}) {
    this.#keepMs = keepMs
  }

  /** Takes what a look has found. */
  take({ now, store, upstreams }: Pick<DoctorFacts, 'now' | 'store' | 'upstreams'>): void {
    for (const status of valueOf(store)?.streams ?? [])
      for (const group of status.groups) {
        const seconds = Math.round(ageSeconds(oldestWaitingId(group, status), now))
        this.#keep(this.#groups, { stream: status.stream, name: group.name }, { at: now, seconds })
      }
    for (const { host, stream, probe } of upstreams) {
      // One that does not answer has no point: how far back it could replay is not known.
      const { askedAt, oldest } = valueOf(probe) ?? {}
      const oldestAt = Date.parse(oldest?.time ?? '')
      // A host that has its first event has forgotten nothing.
      if (askedAt === undefined || !oldest || oldest.seq <= 1 || Number.isNaN(oldestAt)) continue
      const seconds = Math.max(0, Math.round((askedAt - oldestAt) / 1_000))
      this.#keep(this.#hosts, { stream, name: hostWithoutScheme(host) }, { at: askedAt, seconds })
    }
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
    // Hosts are asked less often than there are looks.
    if (track.samples.at(-1)?.at === sample.at) return
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
