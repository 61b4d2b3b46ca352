import {
  hostWithoutScheme,
  noMeter,
  silentLogger,
  sleep,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { diagnose, type Diagnosis } from '../doctor/diagnose.ts'
import type { DoctorFacts, UpstreamFacts } from '../doctor/facts.ts'
import { gatherFacts, type DoctorSources } from '../doctor/gather-facts.ts'
import { valueOf } from '../answer.ts'
import { distances } from '../upstream/distances.ts'
import { problemCodes, problemKinds } from './problem-kinds.ts'
import { problemKey, problemsOf, type Problem } from './problem.ts'

/** A problem, and since when it is known. */
export interface WatchedProblem extends Problem {
  /** Milliseconds since 1970. */
  since: number
}

/** What was found at one moment. */
export interface Look {
  facts: DoctorFacts
  diagnosis: Diagnosis
  /** Those too that were there before, and about which nobody can be asked now. */
  problems: readonly WatchedProblem[]
}

export interface ProblemWatchOptions {
  sources: DoctorSources
  /** Between two looks. @default 15_000 */
  everyMs?: number
  /** How old what hosts have said may be before the loop asks them again. @default 300_000 */
  probeEveryMs?: number
  /** Told of each look of the loop. What it throws is logged. */
  onLook?: (look: Look) => Promise<void> | void
  logger?: Logger
  meter?: Meter
}

/**
 * Looks for problems again and again, and knows since when each is there. All that tell of problems (status, health,
 * metrics, alarms, doctor) have them from here, so that they never disagree.
 */
export class ProblemWatch implements Loop {
  readonly name = 'problem-watch'
  readonly #options: Required<Omit<ProblemWatchOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #open: Gauge
  readonly #checkedAt: Gauge
  readonly #behind: Gauge
  readonly #timeToLoss: Gauge
  #known = new Map<string, WatchedProblem>()
  #probed: { at: number; upstreams: readonly UpstreamFacts[] } | undefined
  #last: Look | undefined
  #looking: Promise<Look> | undefined

  constructor({
    sources,
    everyMs = 15_000,
    probeEveryMs = 300_000,
    onLook = () => undefined,
    logger = silentLogger,
    meter = noMeter,
  }: ProblemWatchOptions) {
    this.#options = { sources, everyMs, probeEveryMs, onLook }
    this.#logger = logger.child({ component: this.name })
    this.#open = meter.gauge('millrace_problems', 'Problems that are there now, by kind', ['code', 'severity'])
    this.#checkedAt = meter.gauge(
      'millrace_problems_checked_timestamp_seconds',
      'When problems were last looked for, in seconds since 1970',
    )
    this.#behind = meter.gauge(
      'millrace_host_behind_seconds',
      'Age of the first event of a host that we have not read; 0 when there is none',
      ['host', 'stream'],
    )
    this.#timeToLoss = meter.gauge(
      'millrace_host_time_to_loss_seconds',
      'How long until a host forgets the first event that we have not read, if it is known',
      ['host', 'stream'],
    )
    this.#checkedAt.set(0)
    this.#export([])
  }

  /** The newest look. */
  get last(): Look | undefined {
    return this.#last
  }

  /** Since when problems are known that another process has found before. */
  recall(problems: Iterable<{ code: string; subject: string; since: number }>): void {
    for (const { code, subject, since } of problems) {
      const known = this.#known.get(problemKey({ code, subject }))
      if (known && since < known.since) this.#known.set(problemKey(known), { ...known, since })
    }
  }

  /**
   * Looks now. Hosts are asked if `probe` says so, or if they never were. Who asks while somebody looks gets what he
   * finds: many may watch a status at once.
   */
  async look({ probe = false, signal }: { probe?: boolean; signal?: AbortSignal | undefined } = {}): Promise<Look> {
    if (probe) return await this.#look(true, signal)
    this.#looking ??= this.#look(false).finally(() => (this.#looking = undefined))
    return await this.#looking
  }

  async #look(probe: boolean, signal?: AbortSignal): Promise<Look> {
    const probed = probe ? undefined : this.#probed
    const facts = await gatherFacts({ ...this.#options.sources, probed: probed?.upstreams }, signal)
    const diagnosis = diagnose(facts)
    // Hosts that were not waited for are not away.
    if (signal?.aborted) return { facts, diagnosis, problems: [...this.#known.values()] }
    if (!probed) {
      this.#probed = { at: facts.now, upstreams: facts.upstreams }
      this.#exportHosts(facts.upstreams)
    }
    const known = new Map<string, WatchedProblem>()
    const unknown = new Set(diagnosis.checks.filter(({ verdict }) => verdict === 'unknown').map(({ id }) => id))
    for (const problem of problemsOf(diagnosis)) {
      const key = problemKey(problem)
      known.set(key, { ...problem, since: this.#known.get(key)?.since ?? facts.now })
    }
    // That nobody answers does not mean that it is over.
    for (const [key, problem] of this.#known) if (unknown.has(problem.check) && !known.has(key)) known.set(key, problem)
    this.#known = known
    const look: Look = { facts, diagnosis, problems: [...known.values()] }
    this.#last = look
    this.#export(look.problems)
    this.#checkedAt.set(facts.now / 1_000)
    return look
  }

  async run(signal: AbortSignal): Promise<void> {
    const { everyMs, probeEveryMs, onLook } = this.#options
    // By a clock that is not set back.
    let probedAt = -Infinity
    while (!signal.aborted) {
      try {
        const probe = performance.now() - probedAt >= probeEveryMs
        const look = await this.look({ probe, signal })
        if (probe) probedAt = performance.now()
        if (signal.aborted) return
        await onLook(look)
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot see now whether something is wrong')
      }
      await sleep(everyMs, signal)
    }
  }

  #export(problems: readonly WatchedProblem[]): void {
    for (const code of problemCodes)
      this.#open.set(problems.filter((problem) => problem.code === code).length, {
        code,
        severity: problemKinds[code].severity,
      })
  }
  #exportHosts(upstreams: readonly UpstreamFacts[]): void {
    for (const { host, stream, probe } of upstreams) {
      const found = valueOf(probe)
      if (!found) continue
      const labels = { host: hostWithoutScheme(host), stream }
      const { behindSeconds = 0, timeToLossSeconds } = distances(found)
      this.#behind.set(behindSeconds, labels)
      if (timeToLossSeconds !== undefined) this.#timeToLoss.set(timeToLossSeconds, labels)
    }
  }
}
