import { Backoff, type BackoffOptions } from '@millrace/stream-protocol'
import PQueue from 'p-queue'

/**
 * Work for one host. It handles its own failures: a rejection is nobody's. One that does little but wait says so with
 * `stepAside`: another one begins in its place then.
 */
export type HostTask = (stepAside: () => void) => Promise<void>

interface Lane {
  host: string
  /** Lets as many tasks pass as the host may have; paused while the host is held. */
  queue: PQueue
  /** Tasks that have not begun, here or in the queue for the places of all. */
  waiting: number
  running: number
  /** Runs while the host is left alone. */
  hold: NodeJS.Timeout | undefined
  heldUntil: number
  backoff: Backoff
}

export interface HostQueueOptions {
  /** Tasks that run at once. */
  concurrency: number
  /** Tasks of one host that run at once. */
  perHost: number
  /** Tasks that have stepped aside at once. @default none */
  aside?: number
  backoff: BackoffOptions
}

/** However long a host asks to be left alone. */
const MAX_HOLD_MS = 3_600_000

/**
 * Runs tasks, the hosts taking turns. A host that fails is held: its tasks wait, and those of other hosts go on.
 *
 * A task passes two queues: that of its host, and then that of all places, which is first come, first served. As a host
 * never has more tasks in the second one than it may run at once, none can fill it.
 */
export class HostQueue {
  readonly #options: HostQueueOptions
  readonly #places: PQueue
  readonly #lanes = new Map<string, Lane>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #delayed = 0
  #aside = 0
  readonly #atWork = new Set<Promise<void>>()
  #stopped = false
  #onChange: (() => void)[] = []

  constructor(options: HostQueueOptions) {
    this.#options = options
    this.#places = new PQueue({ concurrency: options.concurrency })
  }

  /** Tasks that are not running, held and delayed ones too. */
  get waiting(): number {
    return this.#lanes.values().reduce((sum, { waiting }) => sum + waiting, this.#delayed)
  }

  /** Tasks that wait for nothing but their turn. */
  get ready(): number {
    return this.#lanes.values().reduce((sum, { waiting, hold }) => (hold ? sum : sum + waiting), 0)
  }

  get running(): number {
    return this.#places.pending + this.#aside
  }

  push(host: string, task: HostTask): void {
    if (this.#stopped) return
    const lane = this.#lane(host)
    lane.waiting++
    this.#enqueue(lane, task)
  }

  pushLater(host: string, delayMs: number, task: HostTask): void {
    if (this.#stopped) return
    this.#delayed++
    this.#after(delayMs, () => {
      this.#delayed--
      this.push(host, task)
    })
  }

  /** The host did not answer well: its tasks wait, longer each time, or as long as it asks. */
  failed(host: string, retryAfterMs = 0): void {
    if (this.#stopped) return
    const lane = this.#lane(host)
    // Tasks that ran side by side fail together: that is one failure.
    this.#hold(lane, Math.max(lane.hold ? 0 : lane.backoff.nextMs(), retryAfterMs))
  }

  /** The host was not asked, and is not to be for a while: its tasks wait. It has not failed once more. */
  postpone(host: string, ms: number): void {
    if (!this.#stopped) this.#hold(this.#lane(host), ms)
  }

  succeeded(host: string): void {
    const lane = this.#lanes.get(host)
    if (!lane) return
    lane.backoff.reset()
    this.#release(lane)
    this.#forget(lane)
  }

  isHeld(host: string): boolean {
    return this.#lanes.get(host)?.hold !== undefined
  }

  /** Begins no task any more, until it is to go on. */
  setPaused(paused: boolean): void {
    if (paused && !this.#stopped) this.#places.pause()
    else this.#places.start()
  }

  /** Resolves once no more than so many tasks are ready, and so many wait in all, or the signal is aborted. */
  async untilReadyAtMost(count: number, signal: AbortSignal, waiting = Number.POSITIVE_INFINITY): Promise<void> {
    const wake = (): void => this.#changed()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted && (this.ready > count || this.waiting > waiting))
        await new Promise<void>((resolve) => this.#onChange.push(resolve))
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  /** Forgets the tasks that wait, and resolves once those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#places.start()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    for (const { queue } of this.#lanes.values()) queue.clear()
    this.#lanes.clear()
    this.#delayed = 0
    this.#changed()
    await this.#places.onIdle()
    await Promise.all(this.#atWork)
  }

  #lane(host: string): Lane {
    let lane = this.#lanes.get(host)
    if (!lane) {
      const { perHost, backoff } = this.#options
      const queue = new PQueue({ concurrency: perHost })
      lane = { host, queue, waiting: 0, running: 0, hold: undefined, heldUntil: 0, backoff: new Backoff(backoff) }
      this.#lanes.set(host, lane)
    }
    return lane
  }

  #enqueue(lane: Lane, task: HostTask, priority = 0): void {
    // The task tells of its own failures, and one that never began because of `stop` has none.
    void lane.queue.add(() => this.#places.add(() => this.#start(lane, task)), { priority })
  }

  async #start(lane: Lane, task: HostTask): Promise<void> {
    if (this.#stopped) return
    // Its host failed while it waited for its place: it comes first once the host is asked again.
    if (lane.hold) return this.#enqueue(lane, task, 1)
    lane.waiting--
    lane.running++
    this.#changed()
    const place = Promise.withResolvers<void>()
    const work = this.#run(lane, task, place.resolve)
    this.#atWork.add(work)
    void work.finally(() => this.#atWork.delete(work))
    await Promise.race([work, place.promise])
  }

  async #run(lane: Lane, task: HostTask, leavePlace: () => void): Promise<void> {
    let isAside = false
    const stepAside = (): void => {
      if (isAside || this.#aside >= (this.#options.aside ?? 0)) return
      isAside = true
      this.#aside++
      leavePlace()
    }
    try {
      await task(stepAside)
    } finally {
      lane.running--
      if (isAside) this.#aside--
      this.#forget(lane)
      this.#changed()
    }
  }

  /** Thousands of hosts come by. One that neither works nor fails needs no memory. */
  #forget({ host, waiting, running, hold, backoff }: Lane): void {
    if (waiting === 0 && running === 0 && !hold && backoff.attempt === 0) this.#lanes.delete(host)
  }

  #hold(lane: Lane, atMostMs: number): void {
    const ms = Math.min(MAX_HOLD_MS, atMostMs)
    const now = performance.now()
    if (lane.hold && now + ms <= lane.heldUntil) return
    this.#clearHold(lane)
    lane.heldUntil = now + ms
    lane.queue.pause()
    lane.hold = this.#after(ms, () => this.#release(lane))
    this.#changed()
  }

  #release(lane: Lane): void {
    this.#clearHold(lane)
    lane.queue.start()
    this.#changed()
  }

  #clearHold(lane: Lane): void {
    clearTimeout(lane.hold)
    if (lane.hold) this.#timers.delete(lane.hold)
    lane.hold = undefined
  }

  #after(ms: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve()
  }
}
