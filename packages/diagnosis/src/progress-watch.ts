import {
  entryTime,
  noMeter,
  silentLogger,
  sleep,
  type Gauge,
  type GroupStatus,
  type Logger,
  type Loop,
  type Meter,
  type StreamStatus,
  type StreamStore,
} from '@millrace/stream-protocol'
import { isDeserted, oldestWaitingId } from './waiting.ts'

export interface ProgressWatchOptions {
  store: Pick<StreamStore, 'status'>
  /** Names of streams. */
  streams: readonly string[]
  /** Time without an ack, while entries wait, after which a group is not at work. @default 5 min */
  stalledAfterMs?: number
  logger?: Logger
  meter?: Meter
}

/** What was seen of a group. */
interface Seen {
  waitingId: string | null
  pending: number
  lastDeliveredId: string
  /** Milliseconds since 1970 at which it was last seen to get on. */
  progressAt: number
  isAlarmed: boolean
}

/**
 * Whether a group gets on, judged by what it acks: `idle` when nothing waits, `slow` when it gets on far behind, `stalled`
 * when it acks nothing although entries wait, `stopped` when none of its consumers is heard of either.
 */
export type GroupVerdict = 'ok' | 'idle' | 'slow' | 'stalled' | 'stopped'

/** Whether a group is at work, and for how long it has acked nothing although entries waited. */
export interface GroupProgress {
  verdict: GroupVerdict
  silentSeconds: number
}

/** Lag beyond which a group that gets on is slow, in milliseconds. */
const SLOW_MS = 600_000
/** Looks within the time after which a group is not at work. */
const LOOKS = 20

/**
 * Judges groups by their progress: by what they ack, not by whether their processes run (hazard O6). One that has acked
 * nothing for a while, although entries wait, is an alarm whatever its health checks say.
 */
export class ProgressWatch implements Loop {
  readonly name = 'progress-watch'
  readonly #store: Pick<StreamStore, 'status'>
  readonly #streams: readonly string[]
  readonly #stalledAfterMs: number
  readonly #logger: Logger
  readonly #silent: Gauge
  readonly #seen = new Map<string, Seen>()

  constructor({
    store,
    streams,
    stalledAfterMs = 300_000,
    logger = silentLogger,
    meter = noMeter,
  }: ProgressWatchOptions) {
    this.#store = store
    this.#streams = streams
    this.#stalledAfterMs = stalledAfterMs
    this.#logger = logger.child({ component: this.name })
    this.#silent = meter.gauge(
      'millrace_group_silent_seconds',
      'For how long a group has acked nothing although entries wait; 0 while it gets on',
      ['stream', 'group'],
    )
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const now = Date.now()
        for (const status of await this.#store.status(this.#streams))
          for (const group of status.groups) this.judge(group, status, now)
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot see now whether groups get on')
      }
      await sleep(this.#stalledAfterMs / LOOKS, signal)
    }
  }

  /** Looks at a group once more. */
  judge(group: GroupStatus, stream: StreamStatus, now: number): GroupProgress {
    const key = JSON.stringify([stream.stream, group.name])
    const waitingId = oldestWaitingId(group, stream)
    const { pending, lastDeliveredId } = group
    const before = this.#seen.get(key)
    const isOn = before === undefined || waitingId === null || hasAcked(before, { waitingId, pending, lastDeliveredId })
    const progressAt = isOn ? now : before.progressAt
    // A clock may be set back between two looks.
    const silentMs = Math.max(0, now - progressAt)
    const verdict = this.#verdictOf(group, waitingId, silentMs, now)
    const isAlarmed = verdict === 'stalled' || verdict === 'stopped'
    const labels = { stream: stream.stream, group: group.name }
    if (isAlarmed && before?.isAlarmed !== true)
      this.#logger.error(
        { ...labels, alarm: 'group-stalled', verdict, silentMs },
        'a group acks nothing, and entries wait',
      )
    if (!isAlarmed && before?.isAlarmed === true) this.#logger.info(labels, 'a group gets on again')
    this.#seen.set(key, { waitingId, pending, lastDeliveredId, progressAt, isAlarmed })
    this.#silent.set(silentMs / 1_000, labels)
    return { verdict, silentSeconds: Math.round(silentMs / 1_000) }
  }

  #verdictOf(group: GroupStatus, waitingId: string | null, silentMs: number, now: number): GroupVerdict {
    if (waitingId === null) return 'idle'
    if (silentMs >= this.#stalledAfterMs) {
      const isHeard = group.consumers.some(({ idleMs }) => idleMs < this.#stalledAfterMs / 2)
      return isHeard ? 'stalled' : 'stopped'
    }
    return now - entryTime(waitingId) > SLOW_MS ? 'slow' : 'ok'
  }
}

/** The first entry that waits may wait longer than others, which are acked meanwhile: then less is in hand than was given out. */
function hasAcked(before: Seen, now: Pick<Seen, 'waitingId' | 'pending' | 'lastDeliveredId'>): boolean {
  if (before.waitingId !== null && now.waitingId !== before.waitingId) return true
  if (now.pending < before.pending) return true
  return now.pending === before.pending && now.lastDeliveredId !== before.lastDeliveredId
}

/** A process that has just started has asked for nothing yet. */
const WAITED_MS = 60_000

/** What can be told of a group by one look, without knowing how it was before. */
export function judgeOnce(group: GroupStatus, stream: StreamStatus, now: number): GroupProgress {
  const waitingId = oldestWaitingId(group, stream)
  if (waitingId === null) return { verdict: 'idle', silentSeconds: 0 }
  const waitedMs = now - entryTime(waitingId)
  const heardMs = Math.min(...group.consumers.map(({ idleMs }) => idleMs), waitedMs)
  if (isDeserted(group) && waitedMs > WAITED_MS)
    return { verdict: 'stopped', silentSeconds: Math.round(heardMs / 1_000) }
  return { verdict: waitedMs > SLOW_MS ? 'slow' : 'ok', silentSeconds: 0 }
}
