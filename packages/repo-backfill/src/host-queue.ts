import { Backoff, type BackoffOptions } from '@millrace/stream-protocol'

/** Work for one host. It handles its own failures: a rejection is nobody's. */
export type HostTask = () => Promise<void>

interface Lane {
  tasks: HostTask[]
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
  backoff: BackoffOptions
}

/** However long a host asks to be left alone. */
const MAX_HOLD_MS = 3_600_000

/**
 * Runs tasks, the hosts taking turns. A host that fails is held: its tasks wait, and those of other hosts go on.
 */
export class HostQueue {
  readonly #options: HostQueueOptions
  /** The order of the map is the order of the turns. */
  readonly #lanes = new Map<string, Lane>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  #delayed = 0
  #stopped = false
  #onChange: (() => void)[] = []

  constructor(options: HostQueueOptions) {
    this.#options = options
  }

  /** Tasks that are not running, held and delayed ones too. */
  get waiting(): number {
    let waiting = this.#delayed
    for (const { tasks } of this.#lanes.values()) waiting += tasks.length
    return waiting
  }

  /** Tasks that wait for nothing but their turn. */
  get ready(): number {
    let ready = 0
    for (const { tasks, hold } of this.#lanes.values()) if (!hold) ready += tasks.length
    return ready
  }

  get running(): number {
    return this.#running.size
  }

  push(host: string, task: HostTask): void {
    if (this.#stopped) return
    this.#lane(host).tasks.push(task)
    this.#pump()
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
    const now = Date.now()
    // Tasks that ran side by side fail together: that is one failure.
    const ms = Math.min(MAX_HOLD_MS, Math.max(lane.hold ? 0 : lane.backoff.nextMs(), retryAfterMs))
    if (lane.hold && now + ms <= lane.heldUntil) return
    this.#release(lane)
    lane.heldUntil = now + ms
    lane.hold = this.#after(ms, () => {
      lane.hold = undefined
      this.#pump()
    })
  }

  succeeded(host: string): void {
    const lane = this.#lanes.get(host)
    if (!lane) return
    lane.backoff.reset()
    this.#release(lane)
    this.#pump()
  }

  isHeld(host: string): boolean {
    return this.#lanes.get(host)?.hold !== undefined
  }

  /** Resolves once no more than so many tasks are ready, or the signal is aborted. */
  async untilReadyAtMost(count: number, signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#changed()
    signal.addEventListener('abort', wake)
    try {
      while (!signal.aborted && this.ready > count) await new Promise<void>((resolve) => this.#onChange.push(resolve))
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  /** Forgets the tasks that wait, and resolves once those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#lanes.clear()
    this.#delayed = 0
    this.#changed()
    await Promise.all(this.#running)
  }

  #lane(host: string): Lane {
    let lane = this.#lanes.get(host)
    if (!lane) {
      lane = { tasks: [], running: 0, hold: undefined, heldUntil: 0, backoff: new Backoff(this.#options.backoff) }
      this.#lanes.set(host, lane)
    }
    return lane
  }

  #pump(): void {
    while (!this.#stopped && this.#running.size < this.#options.concurrency) {
      const next = this.#next()
      if (!next) break
      this.#start(next.lane, next.task)
    }
    this.#changed()
  }

  #next(): { lane: Lane; task: HostTask } | undefined {
    for (const [host, lane] of this.#lanes) {
      if (lane.hold || lane.running >= this.#options.perHost) continue
      const task = lane.tasks.shift()
      if (task) {
        this.#lanes.delete(host)
        this.#lanes.set(host, lane)
        return { lane, task }
      }
      // Thousands of hosts come by. One that neither works nor fails needs no memory.
      if (lane.running === 0 && lane.backoff.attempt === 0) this.#lanes.delete(host)
    }
    return undefined
  }

  #start(lane: Lane, task: HostTask): void {
    lane.running++
    const run = task().finally(() => {
      lane.running--
      this.#running.delete(run)
      this.#pump()
    })
    this.#running.add(run)
  }

  #release(lane: Lane): void {
    if (!lane.hold) return
    clearTimeout(lane.hold)
    this.#timers.delete(lane.hold)
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
