import { Random } from '@millrace/dev-network'
import type { FuzzTarget, Verdict } from './target.ts'

export interface FuzzFailure {
  target: string
  /** Of the seed's inputs, which one. */
  number: number
  input: Buffer
  error: unknown
}

export interface FuzzReport {
  target: string
  executions: number
  verdicts: Record<Verdict, number>
  failures: FuzzFailure[]
}

export interface RunTargetOptions {
  seed: number
  /** Which of the seed's inputs comes first. @default 0 */
  first?: number
  /** Asked after each. */
  isEnough: (executions: number) => boolean
}

/** Bounded time is part of being well. Ten times what anything takes here, on a machine that does other things too. */
const MAX_MS = 5_000
/** More of them seldom say more. */
const MAX_FAILURES = 10

/** Gives a target one input after the other. Input `n` of a seed is the same whenever it comes. */
export async function runTarget(
  target: FuzzTarget,
  { seed, first = 0, isEnough }: RunTargetOptions,
): Promise<FuzzReport> {
  const report: FuzzReport = {
    target: target.name,
    executions: 0,
    verdicts: { accepted: 0, refused: 0 },
    failures: [],
  }
  while (!isEnough(report.executions) && report.failures.length < MAX_FAILURES) {
    const number = first + report.executions++
    const input = await target.make(new Random(`${seed} ${target.name} ${number}`))
    const failure = await tryInput(target, input, report.verdicts)
    if (failure !== undefined) report.failures.push({ target: target.name, number, input, error: failure })
  }
  return report
}

/** What is wrong with how a target takes an input, if anything is. */
export async function tryInput(
  target: FuzzTarget,
  input: Buffer,
  verdicts: Record<Verdict, number> = { accepted: 0, refused: 0 },
): Promise<unknown> {
  const started = performance.now()
  try {
    // A copy: whoever changes what it was given is found by the next reader, not here.
    verdicts[await target.run(Buffer.from(input))]++
  } catch (error) {
    return error
  }
  const ms = performance.now() - started
  return ms > MAX_MS ? new RangeError(`it took ${Math.round(ms)} ms`) : undefined
}
